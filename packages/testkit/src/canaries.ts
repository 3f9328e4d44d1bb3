/**
 * No secret reaches a log. `pnpm test` gives each run a folder: what the programs log goes there at the level `trace`, and
 * every secret that the tests see is written down there. When the run is over its logs are searched for all of them. A test
 * file that is run by itself has no such folder, and none of this does anything.
 */
import { appendFileSync } from 'node:fs'
import { basename, join } from 'node:path'

/** A name that no program takes for a setting. */
const folder = process.env['TEST_CANARIES']
const planted = new Set<string>()

/** Notes a secret, which must be found in no log of this run. `kind` is what a report calls it. */
export function plantCanary(kind: string, value: string): void {
  if (folder === undefined || planted.has(value) || !isTelling(value)) return
  planted.add(value)
  appendFileSync(join(folder, `${process.pid}.canaries`), `${JSON.stringify({ kind, value })}\n`, { mode: 0o600 })
}

/** A shorter text stands in many a log by chance; a code is looked for as a number of its own. */
const shortestSecret = 8

function isTelling(value: string): boolean {
  return value.length >= shortestSecret || /^\d{6}$/.test(value)
}

/** The members of bodies that are secrets, as the contract calls them. */
const secretMembers: ReadonlySet<string> = new Set([
  'password',
  'current_password',
  'new_password',
  'temporary_password',
  'access_token',
  'refresh_token',
  'token',
  'key',
  'code',
])

/** Notes every secret in a body of a request that was taken, of an answer, or of a message. */
export function plantSecretsOf(body: unknown): void {
  if (typeof body !== 'object' || body === null) return
  for (const [name, member] of Object.entries(body)) {
    if (typeof member !== 'string') plantSecretsOf(member)
    // `code` is also what a problem is called by.
    else if (secretMembers.has(name) && (name !== 'code' || /^\d{6}$/.test(member))) plantCanary(name, member)
  }
}

interface Exchange {
  readonly requestBody: unknown
  readonly status: number
  /** JSON, or anything else. */
  readonly answer: unknown
  readonly cookies: unknown
}

/** Notes the secrets of one request and its answer. What was refused was no secret: a guess may be any word. */
export function plantSecretsOfExchange({ requestBody, status, answer, cookies }: Exchange): void {
  if (folder === undefined || status >= 300) return
  plantSecretsOf(requestBody)
  if (typeof answer === 'string' && answer.startsWith('{')) plantSecretsOf(JSON.parse(answer))
  for (const cookie of [cookies].flat()) {
    const [, name, value] = /^([^=]+)=([^;]*)/.exec(String(cookie)) ?? []
    if (name?.endsWith('_token') === true && value !== undefined) plantCanary(name, value)
  }
}

interface LineStream {
  write(line: string): void
}

/** Takes what a program says, for its run's search and for `alsoTo`. `name` is the program. */
export function logStream(name: string, alsoTo?: LineStream): LineStream {
  const own = `${basename(process.argv[1] ?? '')}-${process.pid}.${name}.log`
  return {
    write: line => {
      if (folder !== undefined) appendFileSync(join(folder, own), line, { mode: 0o600 })
      alsoTo?.write(line)
    },
  }
}

/** A program's own logger options, for everything that it would ever say, with its lines going to {@link logStream}. */
export function testLogger(options: unknown, name: string, alsoTo?: LineStream): object {
  return { ...(options as object), level: 'trace', stream: logStream(name, alsoTo) }
}
