/** `pnpm keys`, as an operator runs it: a program of its own that changes the folder under a running issuer. */

import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const run = promisify(execFile)
const program = fileURLToPath(new URL('../../../../apps/iam/src/main-keys.ts', import.meta.url))

export interface KeysCommand {
  /** What it says. @throws Error where it refuses */
  run(...words: string[]): Promise<string>
}

/** @param cacheFolder where Node keeps what it has compiled: most of the command's time is its start */
export function keysCommand(
  keysFolder: string,
  tokenLifeSeconds: number,
  cacheFolder: string,
  signal: AbortSignal,
): KeysCommand {
  const env = {
    PATH: process.env['PATH'] ?? '',
    SIGNET_KEYS: keysFolder,
    ACCESS_TOKEN_TTL: String(tokenLifeSeconds),
    NODE_COMPILE_CACHE: join(cacheFolder, 'compiled'),
  }
  return {
    run: async (...words) => {
      const { stdout } = await run(process.execPath, [program, ...words], { cwd: cacheFolder, env, signal })
      return stdout
    },
  }
}
