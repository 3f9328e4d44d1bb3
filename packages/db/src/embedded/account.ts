/**
 * PostgreSQL refuses to run as root. When this process is root, the server runs as an unprivileged account (nothing has to
 * be created for it), which must be able to reach its programs and its data.
 */

import type { Stats } from 'node:fs'
import { realpath, stat } from 'node:fs/promises'
import { dirname } from 'node:path'

/** `uid` and `gid` as `child_process` takes them; empty when the server runs as whoever started this process. */
export type ServerAccount = { readonly uid: number; readonly gid: number } | Record<string, never>

/** `nobody` on every common system. */
const nobody = 65_534

/** The owner of a data folder that exists stays the account of its server. */
export async function chooseAccount(dataFolder: string): Promise<ServerAccount> {
  if (process.getuid?.() !== 0) return {}
  const found = await statIfThere(dataFolder)
  if (found === undefined || found.uid === 0) return { uid: nobody, gid: nobody }
  return { uid: found.uid, gid: found.gid }
}

/** May the account pass through every folder down to `path`, and read what is there? */
export async function canReach(account: ServerAccount, path: string): Promise<boolean> {
  if (!('uid' in account)) return true
  let step = await realpath(path)
  if (!grants(await stat(step), account, 0o5)) return false
  while (step !== dirname(step)) {
    step = dirname(step)
    if (!grants(await stat(step), account, 0o1)) return false
  }
  return true
}

function grants({ mode, uid, gid }: Stats, account: ServerAccount, wanted: number): boolean {
  const shift = uid === account['uid'] ? 6 : gid === account['gid'] ? 3 : 0
  return ((mode >> shift) & wanted) === wanted
}

export async function statIfThere(path: string): Promise<Stats | undefined> {
  return stat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw error
  })
}
