/** An installation in a process of its own, in a folder of its own, on ports that were free. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { isSettingName } from '@signet/kernel'
import { type Addresses, addressOf } from '../addresses.ts'

export interface Home {
  readonly folder: string
  /** What a start in this home needs to be told. */
  readonly environment: Readonly<Record<string, string>>
  readonly addresses: Addresses
  readonly adminFile: string
  /** Where mail and text messages are written. */
  readonly outbox: string
  remove(): Promise<void>
}

export interface Child {
  readonly process: ChildProcess
  /** All it has said so far. */
  output(): string
  /** Resolves with the exit code, or null after a signal. */
  readonly ended: Promise<number | null>
}

const main = fileURLToPath(new URL('../main.ts', import.meta.url))
export const readyText = 'Ready in'
const readyTimeoutMs = 60_000

export async function createHome(): Promise<Home> {
  const folder = await mkdtemp(join(tmpdir(), 'signet-demo-'))
  // Started by root, the database runs under another account, which has to get through.
  await chmod(folder, 0o711)
  const [iam, admin, places] = await findFreePorts()
  const home = join(folder, 'home')
  return {
    folder,
    environment: {
      SIGNET_HOME: home,
      SIGNET_KEYS: join(folder, 'keys'),
      IAM_PORT: String(iam),
      ADMIN_PORT: String(admin),
      PLACES_PORT: String(places),
      LOG_LEVEL: 'warn',
    },
    addresses: {
      iam: addressOf('127.0.0.1', iam),
      admin: addressOf('127.0.0.1', admin),
      places: addressOf('127.0.0.1', places),
    },
    adminFile: join(home, 'first-admin.json'),
    outbox: join(home, 'outbox'),
    remove: () => rm(folder, { recursive: true, force: true, maxRetries: 5 }),
  }
}

/**
 * Starts, and does not wait. No setting of the caller's reaches it, and no `.env`.
 * @param program its file, in the place of the whole installation
 */
export function startChild(home: Home, more: Readonly<Record<string, string>> = {}, program = main): Child {
  const inherited = Object.entries(process.env).filter(([name]) => !isSettingName(name))
  const child = spawn(process.execPath, ['--max-semi-space-size=8', program], {
    cwd: home.folder,
    // The child ends with this process, as it does with npm and pnpm.
    env: { ...Object.fromEntries(inherited), npm_lifecycle_event: 'demo', ...home.environment, ...more },
    stdio: ['ignore', 'pipe', 'pipe'],
    windowsHide: true,
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text
    })
  }
  const ended = once(child, 'close').then(([code]) => code as number | null)
  return { process: child, output: () => output, ended }
}

/** @throws Error with all it said when it ends instead, or does neither in time */
export async function waitUntilReady(child: Child): Promise<void> {
  let hasEnded = false
  void child.ended.then(() => {
    hasEnded = true
  })
  const deadline = performance.now() + readyTimeoutMs
  while (!child.output().includes(readyText)) {
    if (hasEnded) throw new Error(`It ended instead of starting:\n${child.output()}`)
    if (performance.now() > deadline) throw new Error(`It was not ready in time:\n${child.output()}`)
    await new Promise(resolve => setTimeout(resolve, 20))
  }
}

async function findFreePorts(): Promise<[number, number, number]> {
  const servers = [createServer(), createServer(), createServer()] as const
  for (const server of servers) await once(server.listen(0, '127.0.0.1'), 'listening')
  const [first, second, third] = servers.map(server => (server.address() as AddressInfo).port)
  for (const server of servers) await once(server.close(), 'close')
  return [first, second, third] as [number, number, number]
}
