import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** Which versions of which packages are installed: pnpm writes it anew with every change of them. One at most. */
export function findPackageLock(entry: string): string[] {
  for (let folder = dirname(entry); ; folder = dirname(folder)) {
    const lock = join(folder, 'node_modules/.pnpm/lock.yaml')
    if (existsSync(lock)) return [lock]
    if (folder === dirname(folder)) return []
  }
}
