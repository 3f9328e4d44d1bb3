/** The server of an installation that is running: how another command on this machine reaches its database. */

import { resolve } from 'node:path'
import { clusterOf, readPasswords } from './data-folder.ts'
import { databaseName, ownerLogin, programLogin } from './logins.ts'
import { isServerProcess, readPostmasterFile } from './postmaster-file.ts'

/**
 * The server whose data is in `dataDir`, for the programs' login or for the one that owns the tables; undefined where none runs.
 * @throws Error where the folder may not be read
 */
export async function findEmbedded(dataDir: string, as: 'program' | 'owner'): Promise<string | undefined> {
  const cluster = await clusterOf(resolve(dataDir))
  const running = await readPostmasterFile(cluster)
  if (running?.status !== 'ready' || !(await isServerProcess(running.pid, cluster))) return undefined
  const passwords = await readPasswords(cluster)
  return `postgres://${as === 'program' ? programLogin : ownerLogin}:${passwords[as]}@127.0.0.1:${running.port}/${databaseName}`
}
