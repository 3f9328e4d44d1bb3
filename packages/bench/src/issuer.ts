/** apps/iam as an operator runs it: a process of its own, with the flags of its package script and default settings. */

import { spawn } from 'node:child_process'
import { mkdtemp, open, readFile, rm } from 'node:fs/promises'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { Bench } from './bench.ts'
import { endProcess } from './end-process.ts'
import { onCore } from './machine.ts'

export interface Issuer extends AsyncDisposable {
  readonly url: string
  readonly pid: number
}

const appFolder = fileURLToPath(new URL('../../../apps/iam/', import.meta.url))

/** Resolves when it is ready. */
export async function startIssuer(bench: Bench, databaseUrl: string): Promise<Issuer> {
  const flags = await readStartFlags()
  const port = await findFreePort()
  const home = await mkdtemp(join(tmpdir(), 'signet-bench-'))
  const logFile = join(home, 'iam.stderr')
  const log = await open(logFile, 'w', 0o600)
  const [command, ...args] = onCore(bench.machine.programCore, process.execPath, [
    ...flags,
    join(appFolder, 'src/main.ts'),
  ])
  const child = spawn(command, args, {
    // Not in the app's folder: a developer's .env there is none of the benchmark's business.
    cwd: home,
    // The log goes into a pipe, as under a service manager or in a container.
    stdio: ['ignore', 'pipe', log.fd],
    env: {
      PATH: process.env['PATH'] ?? '',
      SIGNET_HOME: join(home, 'home'),
      SIGNET_KEYS: join(home, 'keys'),
      IAM_PORT: String(port),
      DATABASE_URL: databaseUrl,
    },
  })
  child.stdout?.resume()
  await log.close()
  const dispose = async () => {
    await endProcess(child)
    await rm(home, { recursive: true, force: true })
  }
  const url = `http://127.0.0.1:${port}`
  try {
    const hasEnded = () => child.exitCode !== null || child.signalCode !== null
    await Promise.race([untilReady(url, hasEnded, bench.signal), failureOf(child)])
    if (hasEnded() || child.pid === undefined) throw new Error('It ended before it was ready.')
    return { url, pid: child.pid, [Symbol.asyncDispose]: dispose }
  } catch (cause) {
    const output = await readFile(logFile, 'utf8')
    await dispose()
    throw new Error(`apps/iam did not start:\n${output}`, { cause })
  }
}

/** The flags that the package's `start` script gives to node, whatever it does before. */
export function parseNodeFlags(script: string): string[] {
  const words = script.split('&&').at(-1)?.trim().split(/\s+/) ?? []
  const entryAt = words.findIndex((word, at) => at > 0 && !word.startsWith('-'))
  if (words[0] !== 'node' || entryAt < 0) throw new TypeError(`Not of the form node [flags] file: ${script}`)
  return words.slice(1, entryAt)
}

async function readStartFlags(): Promise<string[]> {
  const manifest = JSON.parse(await readFile(join(appFolder, 'package.json'), 'utf8')) as {
    scripts?: Record<string, string>
  }
  const script = manifest.scripts?.['start']
  if (script === undefined) throw new Error('apps/iam/package.json has no script start.')
  return parseNodeFlags(script)
}

const startTimeoutMs = 30_000

async function untilReady(url: string, hasEnded: () => boolean, signal: AbortSignal): Promise<void> {
  const deadline = performance.now() + startTimeoutMs
  while (!hasEnded()) {
    const answer = await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(1_000) }).catch(() => undefined)
    if (answer?.ok) return
    if (performance.now() > deadline) throw new Error(`It was not ready within ${startTimeoutMs / 1000} s.`)
    await pause(50, undefined, { signal })
  }
}

function failureOf(child: ReturnType<typeof spawn>): Promise<never> {
  return new Promise((_resolve, reject) => {
    child.once('error', reject)
  })
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
