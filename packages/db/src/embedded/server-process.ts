/** Starting and stopping the server's process. It listens on this machine only, on a port that was free. */

import { type ChildProcess, spawn } from 'node:child_process'
import { open, readFile } from 'node:fs/promises'
import { createServer, type AddressInfo } from 'node:net'
import { dirname, join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { ServerAccount } from './account.ts'
import type { Binaries } from './binaries.ts'
import { chooseSharedBuffers } from './memory.ts'
import { readPostmasterFile } from './postmaster-file.ts'

export interface ServerProcess {
  readonly pid: number
  readonly port: number
}

export interface Cluster {
  readonly folder: string
  readonly binaries: Binaries
  readonly account: ServerAccount
}

/** For one machine that also runs the programs: about 80 MB resident, and what data it keeps. */
const settings = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  shared_buffers: chooseSharedBuffers(),
  max_connections: '80',
  max_wal_size: '256MB',
  // A young database grows by orders of magnitude within minutes: its statistics follow within seconds.
  autovacuum_naptime: '5s',
  io_method: 'sync',
  jit: 'off',
  log_min_messages: 'warning',
}

/** Only for tests, which run many at once: a power cut may destroy the data. */
const undurableSettings = { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off', shared_buffers: '64MB' }

const portAttempts = 5
const startTimeoutMs = 30_000

/** @throws Error with the server's own words when it does not start */
export async function startProcess(cluster: Cluster, isDurable: boolean): Promise<ServerProcess> {
  for (let attempt = 1; ; attempt += 1) {
    const port = await findFreePort()
    const complaint = await tryStart(cluster, port, isDurable)
    if (typeof complaint !== 'string') return complaint
    if (complaint.includes('"postmaster.pid" already exists')) {
      throw new Error(`Another server is running on ${cluster.folder}: stop it first.\n${complaint}`)
    }
    const isPortTaken = complaint.includes('could not bind')
    if (!isPortTaken || attempt === portAttempts) throw new Error(`PostgreSQL did not start:\n${complaint}`)
  }
}

async function tryStart(cluster: Cluster, port: number, isDurable: boolean): Promise<ServerProcess | string> {
  const logFile = join(dirname(cluster.folder), 'postgresql.log')
  const log = await open(logFile, 'w', 0o600)
  const chosen = { ...settings, ...(isDurable ? {} : undurableSettings), port: String(port) }
  const options = Object.entries(chosen).flatMap(([name, value]) => ['-c', `${name}=${value}`])
  const child = spawn(cluster.binaries.postgres, ['-D', cluster.folder, ...options], {
    ...cluster.account,
    cwd: cluster.folder,
    // A group of its own: Ctrl-C goes to the launcher, which stops the server when the programs have let go of it.
    detached: true,
    stdio: ['ignore', log.fd, log.fd],
    env: { ...process.env, LC_ALL: 'C' },
    windowsHide: true,
  })
  const ended = endOf(child)
  await log.close()
  const pid = await Promise.race([untilReady(cluster.folder, child), ended])
  if (pid === undefined) return (await readFile(logFile, 'utf8')).trim()
  child.unref()
  return { pid, port }
}

async function endOf(child: ChildProcess): Promise<undefined> {
  await new Promise<void>((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', () => resolve())
  })
}

async function untilReady(folder: string, child: ChildProcess): Promise<number> {
  const deadline = performance.now() + startTimeoutMs
  while (child.exitCode === null && child.signalCode === null) {
    const file = await readPostmasterFile(folder)
    if (file !== undefined && file.pid === child.pid && file.status === 'ready') return file.pid
    if (performance.now() > deadline) {
      child.kill('SIGKILL')
      throw new Error(`PostgreSQL was not ready within ${startTimeoutMs / 1000} s.`)
    }
    await pause(15)
  }
  // The end of the process is the answer then.
  return new Promise(() => undefined)
}

async function findFreePort(): Promise<number> {
  const probe = createServer()
  await new Promise<void>((resolve, reject) => {
    probe.once('error', reject)
    probe.listen(0, '127.0.0.1', resolve)
  })
  const { port } = probe.address() as AddressInfo
  await new Promise(resolve => probe.close(resolve))
  return port
}

/** Ends sessions and writes a checkpoint; pulls the plug (no data is lost) when that takes longer than ten seconds. */
export async function stopProcess(cluster: Cluster): Promise<void> {
  if ((await runPgCtlStop(cluster, 'fast')) !== 0 && (await readPostmasterFile(cluster.folder)) !== undefined) {
    await runPgCtlStop(cluster, 'immediate')
  }
}

function runPgCtlStop({ binaries, folder, account }: Cluster, mode: 'fast' | 'immediate'): Promise<number | null> {
  return new Promise((resolve, reject) => {
    const child = spawn(binaries.pg_ctl, ['stop', '-D', folder, '-m', mode, '-w', '-t', '10'], {
      ...account,
      cwd: folder,
      stdio: 'ignore',
      // Ctrl-C must not interrupt the very thing that it asks for.
      detached: true,
      windowsHide: true,
    })
    child.once('error', reject)
    child.once('close', resolve)
  })
}
