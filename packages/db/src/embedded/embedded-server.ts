/**
 * A real PostgreSQL on this machine, for whoever has none: started with the program, stopped with it, also when the program
 * is killed. Its data stays.
 */

import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { withAdminClient } from '../admin-client.ts'
import { chooseAccount } from './account.ts'
import { findBinaries } from './binaries.ts'
import { locateCluster, prepareCluster } from './data-folder.ts'
import { holdLauncherLock } from './launcher-lock.ts'
import { databaseName, ensureLogins, ownerLogin, programLogin } from './logins.ts'
import { stopOrphan } from './orphans.ts'
import { type Cluster, type ServerProcess, startProcess, stopProcess } from './server-process.ts'

interface EmbeddedOptions {
  /** Made when it is not there. One running server a folder. */
  readonly dataDir: string
  /** What is worth a line to the person who starts it. */
  readonly log?: (line: string) => void
  /** `false` only for tests: faster, and a power cut may destroy the data. Default `true`. */
  readonly isDurable?: boolean
}

export interface EmbeddedServer {
  /** The programs' login: no superuser, owns nothing; `grantLogin` lets it become a working role. */
  readonly url: string
  /** The owner's login, which migrates: no superuser either. */
  readonly adminUrl: string
  /** The superuser's login, for backups and for tests that make databases. No program needs it. */
  readonly superUrl: string
  /** Ends its sessions and stops it. Resolves when it is gone. */
  stop(): Promise<void>
}

/** @throws DataFolderInUseError, or an Error that says why there can be no server here */
export async function startEmbedded(options: EmbeddedOptions): Promise<EmbeddedServer> {
  const isDurable = options.isDurable ?? true
  const folder = await locateCluster(options.dataDir, chooseAccount)
  const account = await chooseAccount(folder)
  const cluster: Cluster = { folder, account, binaries: await findBinaries(account) }
  const passwords = await prepareCluster(folder, cluster.binaries, account, isDurable)
  const urlOf = (login: string, password: string, port: number, database: string) =>
    `postgres://${login}:${password}@127.0.0.1:${port}/${database}`
  const superUrlOf = (port: number) => urlOf('postgres', passwords.superuser, port, 'postgres')
  if (await stopOrphan(cluster, superUrlOf))
    options.log?.('Stopped the database server that a killed run had left behind.')

  const server = await startProcess(cluster, isDurable)
  const guard = startGuard(cluster, server)
  const superUrl = superUrlOf(server.port)
  try {
    const lock = await holdLauncherLock(superUrl)
    await withAdminClient(superUrl, sql => ensureLogins(sql, passwords))
    return {
      url: urlOf(programLogin, passwords.program, server.port, databaseName),
      adminUrl: urlOf(ownerLogin, passwords.owner, server.port, databaseName),
      superUrl,
      stop: async () => {
        lock.giveUp()
        await stopProcess(cluster)
        dismissGuard(guard)
      },
    }
  } catch (error) {
    await stopProcess(cluster)
    dismissGuard(guard)
    throw error
  }
}

/** Waits on a pipe that ends with this process, whatever ends it. */
function startGuard({ binaries, folder, account }: Cluster, server: ServerProcess): ChildProcess {
  const identity = 'uid' in account ? [String(account.uid), String(account.gid)] : []
  const { NODE_OPTIONS: _debugging, NODE_V8_COVERAGE: _coverage, ...env } = process.env
  const guard = spawn(
    process.execPath,
    [
      '--max-semi-space-size=1',
      fileURLToPath(new URL('guard.ts', import.meta.url)),
      binaries.pg_ctl,
      folder,
      String(server.pid),
      ...identity,
    ],
    { detached: true, stdio: ['pipe', 'ignore', 'ignore'], env, windowsHide: true },
  )
  guard.stdin?.on('error', () => undefined)
  guard.unref()
  return guard
}

function dismissGuard(guard: ChildProcess): void {
  guard.stdin?.end('done')
}
