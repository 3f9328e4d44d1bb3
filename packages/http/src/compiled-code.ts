/**
 * What Node has compiled for one start serves the next, which saves a quarter of it. Kept where nobody else may write: whoever could
 * would decide what the program does.
 */
import { existsSync, mkdirSync } from 'node:fs'
import { enableCompileCache, flushCompileCache } from 'node:module'
import { join } from 'node:path'

/** For all code that is loaded from now on. Where there is no such folder yet, or it cannot be written to, nothing is kept. */
export function reuseCompiledCode(home: string): void {
  if (!existsSync(home)) return
  const folder = join(home, 'compiled')
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
  } catch {
    return
  }
  enableCompileCache(folder)
}

/** Once all is loaded: a process that is killed would leave nothing behind. */
export function keepCompiledCode(): void {
  flushCompileCache()
}
