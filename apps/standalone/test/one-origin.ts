/** A reverse proxy that puts all programs behind one origin, as `pnpm gateway` configures it from the map of routes. */
import { type SpawnSyncReturns, spawn, spawnSync } from 'node:child_process'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { logStream } from '@signet/testkit'
import type { Test } from 'tap'
import type { Addresses } from '../src/addresses.ts'
import type { Home } from '../src/demo/child.ts'

const isAbsent = (program: string) =>
  spawnSync(program, ['-v']).error === undefined ? false : `there is no ${program} on this machine`
/** Debian keeps both where an ordinary PATH does not look. */
process.env['PATH'] = `${process.env['PATH']}:/usr/sbin`
const kinds = ['nginx', 'haproxy'] as const
export type ProxyKind = (typeof kinds)[number]
/** Why a test has to be skipped: false where the proxy is there. */
export const absentProxies: Readonly<Record<ProxyKind, string | false>> = {
  nginx: isAbsent('nginx'),
  haproxy: isAbsent('haproxy'),
}
const presentProxies = kinds.filter(kind => absentProxies[kind] === false)
export const noProxy = presentProxies.length > 0 ? false : 'there is neither nginx nor haproxy on this machine'

/** One that is there, the wanted one if it is. */
export const choosePresent = (wanted: ProxyKind): ProxyKind =>
  absentProxies[wanted] === false ? wanted : (presentProxies[0] ?? wanted)

export const freePort = () =>
  new Promise<number>(resolve => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as AddressInfo
      probe.close(() => resolve(port))
    })
  })

/** Where the proxy will be, which the programs are told before it is there: its port has to be free until then. */
const originAt = (port: number): string => `http://127.0.0.1:${port}`

/** What the programs have to know: the origin is in every token, and who calls is said by the proxy. */
export const settingsBehind = (port: number): Readonly<Record<string, string>> => ({
  ISSUER: originAt(port),
  TRUST_PROXY: '127.0.0.1',
})

export interface ProxyOptions {
  readonly kind: ProxyKind
  readonly home: Home
  readonly port: number
  /** A service key. */
  readonly key: string
  /** More words of the command. */
  readonly words?: readonly string[]
}

export interface Proxy {
  readonly origin: string
  /** The origin as the address of each program. */
  readonly addresses: Addresses
  /** Writes the configuration anew. */
  generate(): SpawnSyncReturns<string>
  /** Lets the proxy read it, where it does not look by itself. */
  reload(): void
  /** All it has said so far. */
  output(): string
}

const main = fileURLToPath(new URL('../src/main-gateway.ts', import.meta.url))
const runNginx = fileURLToPath(new URL('../deploy/gateway/run-nginx.sh', import.meta.url))
const readyTimeoutMs = 20_000

/** @throws Error where there is no map, or the proxy does not lead to the issuer in time */
export async function startProxy(t: Test, { kind, home, port, key, words = [] }: ProxyOptions): Promise<Proxy> {
  const file = join(home.folder, `${kind}.conf`)
  const args = [kind, '--listen', `127.0.0.1:${port}`, '--to', file, '--from', home.addresses.admin, ...words]
  const generate = () =>
    spawnSync(process.execPath, [main, ...args], {
      cwd: home.folder,
      env: { ...process.env, INTERNAL_SERVICE_API_KEY: key },
      encoding: 'utf8',
    })
  t.match(generate(), { status: 0, stderr: '' })
  // As the gateway's container does; haproxy's own way to be told is a signal.
  const [starter = '', ...options] = kind === 'nginx' ? ['sh', runNginx, file] : ['haproxy', '-W', '-f', file]
  const proxy = spawn(starter, options, { cwd: home.folder, stdio: ['ignore', 'pipe', 'pipe'] })
  const log = logStream(kind)
  let output = ''
  for (const stream of [proxy.stdout, proxy.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text
      log.write(text)
    })
  const ended = new Promise(resolve => proxy.once('close', resolve))
  t.teardown(async () => {
    proxy.kill('SIGTERM')
    await ended
  })
  const origin = originAt(port)
  const deadline = performance.now() + readyTimeoutMs
  const isUp = async () => (await fetch(`${origin}/readyz`).catch(() => undefined))?.status === 200
  while (!(await isUp())) {
    if (performance.now() > deadline || proxy.exitCode !== null) throw new Error(`${kind} does not start: ${output}`)
    await new Promise(resolve => setTimeout(resolve, 50))
  }
  return {
    origin,
    addresses: { iam: origin, admin: origin, places: origin },
    generate,
    reload: () => {
      if (kind === 'haproxy') proxy.kill('SIGUSR2')
    },
    output: () => output,
  }
}
