/**
 * Our programs as an operator runs them: a process of its own, with the flags of its package script and default settings,
 * behind what it takes for its proxy.
 */

import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtemp, open, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { Bench } from './bench.ts'
import { endProcess, killProcess } from './end-process.ts'
import { findFreePort } from './free-port.ts'
import { onCore } from './machine.ts'
import { proxyAddress } from './network-addresses.ts'

export interface Issuer extends AsyncDisposable {
  readonly url: string
  readonly pid: number
}

/** An issuer that is ended and started again: address, keys and home stay. */
export interface RestartableIssuer extends AsyncDisposable {
  readonly url: string
  /** Signing keys and the installation's secret. */
  readonly keysFolder: string
  /** Resolves with the process id when it is ready. */
  start(): Promise<number>
  /** kill -9. Resolves when it is gone. */
  kill(): Promise<void>
  /** As a service manager does it. Resolves when it is gone. @throws Error where it had to be killed, or fails at it */
  stop(): Promise<void>
  hasEnded(): boolean
}

const portSettings = { iam: 'IAM_PORT', 'admin-api': 'ADMIN_PORT' } as const

/** Resolves when it is ready. */
export async function startIssuer(bench: Bench, databaseUrl: string): Promise<Issuer> {
  const issuer = await prepareIssuer(bench, databaseUrl)
  try {
    return { url: issuer.url, pid: await issuer.start(), [Symbol.asyncDispose]: () => issuer[Symbol.asyncDispose]() }
  } catch (error) {
    await issuer[Symbol.asyncDispose]()
    throw error
  }
}

/** Starts nothing yet. @param settings of the issuer, beside those that every one here gets */
export function prepareIssuer(
  bench: Bench,
  databaseUrl: string,
  settings: Readonly<Record<string, string>> = {},
): Promise<RestartableIssuer> {
  return prepareProgram(bench, 'iam', databaseUrl, settings)
}

/** As `prepareIssuer`, also for the administration. */
export async function prepareProgram(
  bench: Bench,
  name: keyof typeof portSettings,
  databaseUrl: string,
  settings: Readonly<Record<string, string>>,
): Promise<RestartableIssuer> {
  const appFolder = fileURLToPath(new URL(`../../../apps/${name}/`, import.meta.url))
  const flags = await readStartFlags(appFolder)
  const port = await findFreePort()
  const home = await mkdtemp(join(tmpdir(), 'signet-bench-'))
  const keysFolder = settings['SIGNET_KEYS'] ?? join(home, 'keys')
  const logFile = join(home, 'stderr')
  const [command, ...args] = onCore(bench.machine.programCore, process.execPath, [
    ...flags,
    join(appFolder, 'src/main.ts'),
  ])
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
      env: {
        PATH: process.env['PATH'] ?? '',
        SIGNET_HOME: join(home, 'home'),
        SIGNET_KEYS: keysFolder,
        [portSettings[name]]: String(port),
        DATABASE_URL: databaseUrl,
        TRUST_PROXY: proxyAddress,
        ...settings,
      },
    })
    child = started
    let said = ''
    started.stdout?.setEncoding('utf8').on('data', (lines: string) => {
      said = `${said}${lines}`.slice(-shownLogLength)
    })
    await log.close()
    try {
      await Promise.race([untilReady(url, hasEnded, bench.signal), failureOf(started)])
      if (hasEnded() || started.pid === undefined) throw new Error('It ended before it was ready.')
      return started.pid
    } catch (cause) {
      throw new Error(`apps/${name} did not start:\n${await readFile(logFile, 'utf8')}${said}`, { cause })
    }
  }

  return {
    url,
    keysFolder,
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
      await rm(home, { recursive: true, force: true })
    },
  }
}

/** The flags that the package's `start` script gives to node, whatever it does before. */
export function parseNodeFlags(script: string): string[] {
  const words = script.split('&&').at(-1)?.trim().split(/\s+/) ?? []
  const entryAt = words.findIndex((word, at) => at > 0 && !word.startsWith('-'))
  if (words[0] !== 'node' || entryAt < 0) throw new TypeError(`Not of the form node [flags] file: ${script}`)
  return words.slice(1, entryAt)
}

async function readStartFlags(appFolder: string): Promise<string[]> {
  const manifest = JSON.parse(await readFile(join(appFolder, 'package.json'), 'utf8')) as {
    scripts?: Record<string, string>
  }
  const script = manifest.scripts?.['start']
  if (script === undefined) throw new Error(`${appFolder} has no script start.`)
  return parseNodeFlags(script)
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
