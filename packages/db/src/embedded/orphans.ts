/** A server that a killed run left behind is stopped cleanly; one whose launcher lives is left alone. */

import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { withAdminClient } from '../admin-client.ts'
import { hasLauncher } from './launcher-lock.ts'
import { isServerProcess, readPostmasterFile } from './postmaster-file.ts'
import { type Cluster, stopProcess } from './server-process.ts'

/** The folder belongs to a Signet that is running. */
export class DataFolderInUseError extends Error {
  override readonly name = 'DataFolderInUseError'
}

/** How long a server that is starting or stopping may take to make up its mind. */
const settleMs = 15_000

/**
 * Resolves when no server runs on the folder; gives whether one had to be stopped.
 * @throws DataFolderInUseError when its launcher lives, or when the server does not answer
 */
export async function stopOrphan(cluster: Cluster, urlOf: (port: number) => string): Promise<boolean> {
  const deadline = performance.now() + settleMs
  for (;;) {
    const file = await readPostmasterFile(cluster.folder)
    if (file === undefined) return false
    if (!(await isServerProcess(file.pid, cluster.folder))) {
      await rm(join(cluster.folder, 'postmaster.pid'), { force: true })
      return false
    }
    const isLaunched = await withAdminClient(urlOf(file.port), hasLauncher).catch(() => undefined)
    if (isLaunched === true) {
      throw new DataFolderInUseError(
        `${cluster.folder} is used by another Signet that is running. Stop that one first.`,
      )
    }
    if (isLaunched === false) {
      await stopProcess(cluster)
      return true
    }
    if (performance.now() >= deadline) {
      throw new DataFolderInUseError(
        `A server (process ${file.pid}) holds ${cluster.folder} and does not answer. Stop it, then start again.`,
      )
    }
    await pause(100)
  }
}
