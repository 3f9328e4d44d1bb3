/** What the server itself writes about its run: `postmaster.pid` in its folder (PostgreSQL: src/include/utils/pidfile.h). */

import { readFile, readlink, realpath } from 'node:fs/promises'
import { join } from 'node:path'

export interface PostmasterFile {
  readonly pid: number
  readonly port: number
  /** `starting`, `ready`, `stopping`; empty while the file is being written. */
  readonly status: string
}

export async function readPostmasterFile(cluster: string): Promise<PostmasterFile | undefined> {
  try {
    const lines = (await readFile(join(cluster, 'postmaster.pid'), 'utf8')).split('\n')
    return { pid: Number(lines[0]), port: Number(lines[3]), status: lines[7]?.trim() ?? '' }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

/**
 * Is this process the server of this folder? A number from before a crash may belong to anybody by now. Only Linux tells
 * where a process stands (a server stands in its folder); elsewhere a living process counts.
 */
export async function isServerProcess(pid: number, cluster: string): Promise<boolean> {
  if (process.platform === 'linux') {
    return (await readlink(`/proc/${pid}/cwd`).catch(() => '')) === (await realpath(cluster))
  }
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
