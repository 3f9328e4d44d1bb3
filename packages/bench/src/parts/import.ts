/** How fast people come in, and what the administration holds while a file of any length passes through it. */

import { once } from 'node:events'
import { type IncomingMessage, request as openRequest } from 'node:http'
import { createInterface } from 'node:readline'
import { openDatabase } from '@signet/db'
import type { TenantId } from '@signet/kernel'
import type { Bench } from '../bench.ts'
import { type BenchDatabase, openBenchDatabase } from '../bench-database.ts'
import { prepareProgram, startIssuer } from '../issuer.ts'
import { boundRate, compareMemory, type Row } from '../report.ts'
import { readResidentBytes } from '../process-use.ts'
import { seedInstallation, seedPeople } from '../seed-installation.ts'

const usualLines = 100_000
const warmUpLines = 10_000
const linesAtOnce = 500
const password = 'an importer of many people'

export async function measureImport(bench: Bench): Promise<Row[]> {
  const lines = readLineCount(process.env['IMPORT_LINES'])
  await using database = await openBenchDatabase(bench)
  const { tenantId } = await seedInstallation(database)
  const email = await makeAdministrator(database, tenantId)
  await using issuer = await startIssuer(bench, database.url)
  await using program = await prepareProgram(bench, 'admin-api', database.url, {
    ISSUER: issuer.url.replace('127.0.0.1', 'localhost'),
  })
  const pid = await program.start()
  const target = { url: `${program.url}/admin/v1/users/import`, token: await signIn(issuer.url, email) }
  bench.say(`${warmUpLines} lines to warm up`)
  await sendPeople(target, 'warm', warmUpLines, async () => undefined)
  const before = await readResidentBytes(pid)
  let peak = before
  bench.say(`${lines} lines`)
  const seconds = await sendPeople(target, 'imported', lines, async () => {
    bench.signal.throwIfAborted()
    peak = Math.max(peak, await readResidentBytes(pid))
  })
  const subject = `of ${lines} lines without hashing`
  return [
    boundRate({ part: 'import', subject: `people, ${subject}`, perSecond: lines / seconds, atLeast: 5_000 }),
    compareMemory('import', `memory growth at its peak, ${subject}`, peak - before, 50_000_000),
  ]
}

function readLineCount(given: string | undefined): number {
  const count = given === undefined || given === '' ? usualLines : Number(given)
  if (Number.isSafeInteger(count) && count > 0) return count
  throw new TypeError('IMPORT_LINES is how many lines the import has: a whole number.')
}

async function makeAdministrator(database: BenchDatabase, tenantId: TenantId): Promise<string> {
  const [email = ''] = await seedPeople(database, { tenantId, count: 1, password })
  const db = openDatabase({ url: database.superUrl, max: 1 })
  try {
    await db.sql`
      insert into membership_roles (tenant_id, membership_id, role_id)
      select m.tenant_id, m.id, r.id
      from users u
      join memberships m on m.tenant_id = u.tenant_id and m.user_id = u.id
      join roles r on r.tenant_id = u.tenant_id and r.name = 'admin'
      where u.email = ${email}`
  } finally {
    await db.close()
  }
  return email
}

async function signIn(issuerUrl: string, email: string): Promise<string> {
  const answer = await fetch(`${issuerUrl}/api/v1/tokens`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ email, password }),
  })
  const { access_token } = (await answer.json()) as { access_token?: string }
  if (access_token === undefined) throw new Error(`The issuer answered ${answer.status} to a sign-in.`)
  return access_token
}

/** @returns the seconds that the server says it took. @throws Error when not all were created */
async function sendPeople(
  { url, token }: { readonly url: string; readonly token: string },
  name: string,
  count: number,
  onProgress: () => Promise<void>,
): Promise<number> {
  const headers = { 'content-type': 'application/x-ndjson', authorization: `Bearer ${token}` }
  const sending = openRequest(url, { method: 'POST', headers })
  const writing = writePeople(sending, name, count)
  const [answer] = (await once(sending, 'response')) as [IncomingMessage]
  let last = ''
  let seen = 0
  for await (const line of createInterface({ input: answer })) {
    last = line
    seen += 1
    if (seen % 5_000 === 0) await onProgress()
  }
  await writing
  const { summary } = JSON.parse(last) as { summary?: { created: number; seconds: number } }
  if (summary?.created !== count) throw new Error(`Of ${count} people not all were created: ${last}`)
  return summary.seconds
}

async function writePeople(sending: NodeJS.WritableStream, name: string, count: number): Promise<void> {
  for (let at = 0; at < count; at += linesAtOnce) {
    const many = Array.from({ length: Math.min(linesAtOnce, count - at) }, (_, index) =>
      describePerson(name, at + index),
    )
    if (!sending.write(many.join(''))) await once(sending, 'drain')
  }
  sending.end()
}

/** As they come from another system, with a hash that is stored and not computed. */
function describePerson(name: string, index: number): string {
  const salt = String(index).padStart(22, 'a')
  return `${JSON.stringify({
    email: `${name}-${index}@bench.invalid`,
    username: `${name}-${index}`,
    first_name: 'Ada',
    last_name: `Lovelace ${index}`,
    password_hash: `$2b$12$${salt}AnUtN/LRfe1JsBm1Xu6LE3059z5Tr8m`,
    external_id: String(index),
  })}\n`
}
