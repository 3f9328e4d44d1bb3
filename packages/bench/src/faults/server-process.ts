/** The processes of a PostgreSQL on this machine, which are stopped and started as an accident would. Needs /proc. */

import { spawn } from 'node:child_process'
import { readdir, readFile, readlink, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { Database } from '@signet/db'

export interface ServerProcess {
  /** `pg_ctl stop -m immediate`, as by a power cut. Resolves when it is gone. */
  pullPlug(): Promise<void>
  /** As it was started before: same port, same data. Resolves when it accepts connections. */
  start(): Promise<void>
  /** Every process of it stands still (SIGSTOP): connections are taken by the kernel, and nobody answers. */
  freeze(): Promise<void>
  thaw(): Promise<void>
}

const startTimeoutMs = 30_000

export async function findServerProcess(db: Database): Promise<ServerProcess> {
  const [row] = await db.sql<{ pidFile: string }[]>`select pg_read_file('postmaster.pid') as "pidFile"`
  let pid = Number(row?.pidFile.split('\n')[0])
  const [command = '', ...args] = (await readFile(`/proc/${pid}/cmdline`, 'utf8')).split('\0').slice(0, -1)
  const program = await readlink(`/proc/${pid}/exe`)
  const cwd = await readlink(`/proc/${pid}/cwd`)
  const { uid, gid } = await stat(`/proc/${pid}`)

  const signalAll = async (signal: NodeJS.Signals) => {
    for (const each of [pid, ...(await childrenOf(pid))]) process.kill(each, signal)
  }
  return {
    pullPlug: async () => {
      process.kill(pid, 'SIGQUIT')
      while (await isThere(pid)) await pause(5)
    },
    start: async () => {
      const server = spawn(program, args, { argv0: command, cwd, uid, gid, detached: true, stdio: 'ignore' })
      if (server.pid === undefined) throw new Error(`${program} cannot be started.`)
      pid = server.pid
      server.unref()
      const deadline = performance.now() + startTimeoutMs
      while (!(await accepts(pid, cwd))) {
        if (performance.now() > deadline) throw new Error('PostgreSQL did not come back.')
        await pause(5)
      }
    },
    freeze: () => signalAll('SIGSTOP'),
    thaw: () => signalAll('SIGCONT'),
  }
}

/** The server itself writes there how far it is (PostgreSQL: src/include/utils/pidfile.h). */
async function accepts(pid: number, folder: string): Promise<boolean> {
  const lines = (await readFile(join(folder, 'postmaster.pid'), 'utf8').catch(() => '')).split('\n')
  return Number(lines[0]) === pid && lines[7]?.trim() === 'ready'
}

async function isThere(pid: number): Promise<boolean> {
  // A child of this process that has ended stays there, as a zombie, until it is looked after.
  const state = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined)
  return state !== undefined && !/\) Z /.test(state)
}

async function childrenOf(pid: number): Promise<number[]> {
  const all = (await readdir('/proc')).map(Number).filter(Number.isInteger)
  const parents = await Promise.all(
    all.map(async each => {
      const state = await readFile(`/proc/${each}/stat`, 'utf8').catch(() => '')
      return Number(/\) \S (\d+)/.exec(state)?.[1])
    }),
  )
  return all.filter((_, at) => parents[at] === pid)
}
