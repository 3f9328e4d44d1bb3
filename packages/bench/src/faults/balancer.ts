/** A real haproxy before several nodes of the issuer, with the configuration that `pnpm gateway haproxy` writes. */

import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { Bench } from '../bench.ts'
import { endProcess } from '../end-process.ts'
import { findFreePort } from '../free-port.ts'

export interface Balancer extends AsyncDisposable {
  readonly url: string
}

const run = promisify(execFile)
const gateway = fileURLToPath(new URL('../../../../apps/standalone/src/main-gateway.ts', import.meta.url))
/** Debian keeps haproxy where an ordinary PATH does not look. */
const path = `${process.env['PATH'] ?? ''}:/usr/sbin`
const serviceKey = 'the bench asks for a map of its own'
const startTimeoutMs = 20_000
/** Characters of what haproxy says, from its end. */
const shownLogLength = 2_000

export async function isBalancerInstalled(): Promise<boolean> {
  return run('haproxy', ['-v'], { env: { PATH: path } }).then(
    () => true,
    () => false,
  )
}

/** Resolves when it has found a node that is ready. @param nodes `host:port` of each */
export async function startBalancer(bench: Bench, nodes: readonly string[]): Promise<Balancer> {
  const folder = await mkdtemp(join(tmpdir(), 'signet-bench-'))
  const port = await findFreePort()
  const url = `http://127.0.0.1:${port}`
  const file = join(folder, 'haproxy.cfg')
  let proxy: ChildProcess | undefined
  const dispose = async () => {
    if (proxy !== undefined) await endProcess(proxy)
    await rm(folder, { recursive: true, force: true })
  }
  try {
    await writeConfiguration(file, `127.0.0.1:${port}`, nodes)
    proxy = spawn('haproxy', ['-db', '-f', file], { env: { PATH: path }, stdio: ['ignore', 'ignore', 'pipe'] })
    let said = ''
    proxy.stderr?.setEncoding('utf8').on('data', (text: string) => {
      said = `${said}${text}`.slice(-shownLogLength)
    })
    if (!(await leadsToNode(url, proxy, bench.signal)))
      throw new Error(`haproxy leads to no node that is ready:\n${said}`)
    return { url, [Symbol.asyncDispose]: dispose }
  } catch (error) {
    await dispose()
    throw error
  }
}

/** The map has one line, which leads everything to the issuer: what is tried here is the proxy's conduct towards nodes. */
async function writeConfiguration(file: string, listen: string, nodes: readonly string[]): Promise<void> {
  const route = {
    prefix: '/',
    is_exact: false,
    methods: ['GET', 'POST'],
    service: 'iam',
    base_url: `http://${nodes[0]}`,
  }
  const administration = createServer((_request, response) => response.end(JSON.stringify({ items: [route] })))
  await new Promise<void>(resolve => administration.listen(0, '127.0.0.1', resolve))
  try {
    const from = `http://127.0.0.1:${(administration.address() as AddressInfo).port}`
    const words = ['haproxy', '--from', from, '--listen', listen, '--nodes', `iam=${nodes.join(',')}`, '--to', file]
    await run(process.execPath, [gateway, ...words], {
      // Not where a developer's .env might be.
      cwd: tmpdir(),
      env: { PATH: path, INTERNAL_SERVICE_API_KEY: serviceKey },
    })
  } finally {
    administration.close()
  }
}

async function leadsToNode(url: string, proxy: ChildProcess, signal: AbortSignal): Promise<boolean> {
  const deadline = performance.now() + startTimeoutMs
  while (proxy.exitCode === null && performance.now() < deadline) {
    const answer = await fetch(`${url}/readyz`).catch(() => undefined)
    if (answer?.ok === true) return true
    await pause(50, undefined, { signal })
  }
  return false
}
