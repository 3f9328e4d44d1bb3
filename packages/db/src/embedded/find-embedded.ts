/** The server of an installation that is running: how another command on this machine reaches its database. */

import { resolve } from 'node:path'
import { clusterOf, readPasswords } from './data-folder.ts'
import { databaseName, programLogin } from './logins.ts'
import { isServerProcess, readPostmasterFile } from './postmaster-file.ts'

/**
 * The programs' login at the server whose data is in `dataDir`; undefined where none runs.
 * @throws Error where the folder may not be read
 */
export async function findEmbedded(dataDir: string): Promise<string | undefined> {
  const cluster = await clusterOf(resolve(dataDir))
  const running = await readPostmasterFile(cluster)
  if (running?.status !== 'ready' || !(await isServerProcess(running.pid, cluster))) return undefined
  const { program } = await readPasswords(cluster)
  return `postgres://${programLogin}:${program}@127.0.0.1:${running.port}/${databaseName}`
}
