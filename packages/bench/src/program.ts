/** A program in a process of its own that serves HTTP, is ended and is started again: its address stays. */

import { type ChildProcess, spawn } from 'node:child_process'
import { open, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { endProcess, killProcess } from './end-process.ts'
import { type Core, onCore } from './machine.ts'

export interface RestartableProgram extends AsyncDisposable {
  readonly url: string
  /** Resolves with the process id when it is ready. */
  start(): Promise<number>
  /** kill -9. Resolves when it is gone. */
  kill(): Promise<void>
  /** As a service manager does it. Resolves when it is gone. @throws Error where it had to be killed, or fails at it */
  stop(): Promise<void>
  hasEnded(): boolean
}

export interface ProgramStart {
  /** For people. */
  readonly name: string
  readonly core: Core
  /** What node is given: flags and the program's first file. */
  readonly args: readonly string[]
  readonly port: number
  readonly environment: Readonly<Record<string, string>>
  /** Where it runs and its errors are kept. */
  readonly home: string
  readonly signal: AbortSignal
}

/** Starts nothing yet. */
export function prepareProcess({
  name,
  core,
  args: words,
  port,
  environment,
  home,
  signal,
}: ProgramStart): RestartableProgram {
  const logFile = join(home, 'stderr')
  const [command, ...args] = onCore(core, process.execPath, words)
  const url = `http://127.0.0.1:${port}`
  let child: ChildProcess | undefined

  const hasEnded = () => child === undefined || child.exitCode !== null || child.signalCode !== null

  async function start(): Promise<number> {
    const log = await open(logFile, 'a', 0o600)
    const started = spawn(command, args, {
      // Not in the app's folder: a developer's .env there is none of the benchmark's business.
      cwd: home,
      // The log goes into a pipe, as under a service manager or in a container.
      stdio: ['ignore', 'pipe', log.fd],
      // The instructions that OpenSSL is told to use are those of both sides of a comparison.
      env: { PATH: process.env['PATH'], OPENSSL_ia32cap: process.env['OPENSSL_ia32cap'], ...environment },
    })
    child = started
    let said = ''
    started.stdout?.setEncoding('utf8').on('data', (lines: string) => {
      said = `${said}${lines}`.slice(-shownLogLength)
    })
    await log.close()
    try {
      await Promise.race([untilReady(url, hasEnded, signal), failureOf(started)])
      if (hasEnded() || started.pid === undefined) throw new Error('It ended before it was ready.')
      return started.pid
    } catch (cause) {
      throw new Error(`${name} did not start:\n${await readFile(logFile, 'utf8')}${said}`, { cause })
    }
  }

  return {
    url,
    start,
    kill: async () => {
      if (child !== undefined) await killProcess(child)
    },
    stop: async () => {
      if (child === undefined) return
      await endProcess(child)
      if (child.exitCode !== 0) throw new Error(`It ended with ${child.exitCode ?? child.signalCode}.`)
    },
    hasEnded,
    [Symbol.asyncDispose]: async () => {
      if (child !== undefined) await endProcess(child)
    },
  }
}

const startTimeoutMs = 60_000
const answerTimeoutMs = 5_000
/** Characters of the log, from its end. */
const shownLogLength = 2_000

async function untilReady(url: string, hasEnded: () => boolean, signal: AbortSignal): Promise<void> {
  const deadline = performance.now() + startTimeoutMs
  while (!hasEnded()) {
    const answer = await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(answerTimeoutMs) }).catch(() => undefined)
    if (answer?.ok) return
    if (performance.now() > deadline) throw new Error(`It was not ready within ${startTimeoutMs / 1000} s.`)
    await pause(50, undefined, { signal })
  }
}

function failureOf(child: ChildProcess): Promise<never> {
  return new Promise((_resolve, reject) => {
    child.once('error', reject)
  })
}
