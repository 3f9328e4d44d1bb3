/** An installation, and a caller of an older system who has only the base URLs changed: cookies kept, mail read. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { plantSecretsOfExchange, type TestDatabase, testDatabase } from '@signet/testkit'
import type { Test } from 'tap'
import type { Addresses } from '../src/addresses.ts'
import { createHome, type Home, waitUntilReady } from '../src/demo/child.ts'
import { startKeptChild } from './kept-child.ts'

/** Cookies by their names: hosts of one name share them whatever the port (RFC 6265 section 8.5). */
export type Jar = Map<string, string>

export interface ReplayCall {
  readonly jar?: Jar
  readonly token?: string
  readonly body?: unknown
  readonly form?: Readonly<Record<string, string>>
  readonly headers?: Readonly<Record<string, string>>
}

export interface ReplayAnswer {
  readonly status: number
  readonly headers: Headers
  // oxlint-disable-next-line typescript/no-explicit-any -- a test reads what came over the wire
  readonly body: any
  readonly setCookies: readonly string[]
}

type Send = (method: string, path: string, call?: ReplayCall) => Promise<ReplayAnswer>

export interface Replay {
  readonly home: Home
  /** The base URLs that a caller has: behind one origin that origin, whatever they call. */
  readonly addresses: Addresses
  readonly iam: Send
  readonly admin: Send
  /** `METHOD /path` of every call so far. */
  readonly walked: Set<string>
  /** The newest mail to an address whose text fits; the first group of the pattern. */
  readonly readMail: (to: string, pattern: RegExp) => Promise<string>
}

const mailTimeoutMs = 20_000

export interface Installation {
  readonly home: Home
  readonly database: TestDatabase
}

/** All programs, and the first administrator with them. */
export async function startInstallation(
  t: Test,
  settings: Readonly<Record<string, string>> = {},
): Promise<Installation> {
  const database = await testDatabase(t)
  const home = await createHome()
  const child = startKeptChild(home, { DATABASE_URL: database.url, DATABASE_ADMIN_URL: database.adminUrl, ...settings })
  t.teardown(async () => {
    child.process.kill('SIGTERM')
    await child.ended
    await home.remove()
  })
  await waitUntilReady(child)
  return { home, database }
}

export function createReplay(home: Home, addresses: Addresses = home.addresses): Replay {
  const walked = new Set<string>()
  const sendTo =
    (base: string): Send =>
    async (method, path, call = {}) => {
      walked.add(`${method} ${path}`)
      return send(base, method, path, call)
    }
  return {
    home,
    addresses,
    iam: sendTo(addresses.iam),
    admin: sendTo(addresses.admin),
    walked,
    readMail: async (to, pattern) => {
      const deadline = performance.now() + mailTimeoutMs
      while (performance.now() < deadline) {
        const found = findMail(home.outbox, to, pattern)
        if (found !== undefined) return found
        await new Promise(resolve => setTimeout(resolve, 20))
      }
      throw new Error(`No mail to ${to} that fits ${pattern} came in time`)
    },
  }
}

async function send(base: string, method: string, path: string, call: ReplayCall): Promise<ReplayAnswer> {
  const { jar, token, body, form } = call
  const cookie = [...(jar ?? [])].map(([name, value]) => `${name}=${value}`).join('; ')
  const response = await fetch(`${base}${path}`, {
    method,
    headers: {
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(cookie === '' ? {} : { cookie }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...call.headers,
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    ...(form === undefined ? {} : { body: new URLSearchParams(form) }),
    signal: AbortSignal.timeout(15_000),
  })
  const answer = await response.text()
  const setCookies = response.headers.getSetCookie()
  plantSecretsOfExchange({ requestBody: body ?? form, status: response.status, answer, cookies: setCookies })
  if (jar !== undefined) keepCookies(jar, setCookies)
  return { status: response.status, headers: response.headers, body: readJson(answer), setCookies }
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

function keepCookies(jar: Jar, setCookies: readonly string[]): void {
  for (const line of setCookies) {
    const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? []
    if (value === '' || /max-age=0(;|$)/i.test(line)) jar.delete(name)
    else jar.set(name, value)
  }
}

function findMail(outbox: string, to: string, pattern: RegExp): string | undefined {
  if (!existsSync(outbox)) return undefined
  const mails = readdirSync(outbox)
    .filter(name => name.endsWith('.json'))
    .map(
      name => JSON.parse(readFileSync(join(outbox, name), 'utf8')) as { to: string; text: string; created_at: string },
    )
    .filter(mail => mail.to === to)
    .toSorted((a, b) => b.created_at.localeCompare(a.created_at))
  for (const { text } of mails) {
    const found = pattern.exec(text)?.[1]
    if (found !== undefined) return found
  }
  return undefined
}

/**
 * Looks whether every route that a system's own document names was walked. It stands beside this repository, or nowhere.
 * @param named its name, and how many routes it has at least
 */
export function testCompleteness(
  t: Test,
  { walked }: Replay,
  [name, least]: readonly [string, number],
  findRoutes: (document: string) => string[],
): void {
  const file = new URL(`../../../../shared/reference/${name}.md`, import.meta.url)
  t.test(
    'every route that the document names was walked',
    { skip: existsSync(file) ? false : `${name}.md is not beside this repository` },
    async t => {
      const routes = findRoutes(readFileSync(file, 'utf8'))
      t.ok(routes.length >= least, `${routes.length} routes`)
      t.same(
        routes.filter(route => !walked.has(route)),
        [],
      )
    },
  )
}
