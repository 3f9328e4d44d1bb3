/** Imports over a real connection: as long as they are, as slow as they are, and broken off. */
import { once } from 'node:events'
import { type ClientRequest, type IncomingMessage, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createInterface } from 'node:readline'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { inTenant } from '@signet/db'
import t from 'tap'
import { ndjson } from './ndjson.ts'
import { createWorld } from './world.ts'

const world = await createWorld(t)
const { admin, cast, company, database, app } = world
await app.listen({ host: '127.0.0.1', port: 0 })
const { port } = app.server.address() as AddressInfo

interface Sending {
  readonly request: ClientRequest
  /** The next line of the report; undefined at its end. */
  readonly nextLine: () => Promise<Record<string, never> | undefined>
}

async function open(query = '', who = admin): Promise<Sending> {
  const sending = request({
    port,
    agent: false,
    method: 'POST',
    path: `/admin/v1/users/import${query}`,
    headers: { ...ndjson, ...who.headers },
  })
  sending.on('error', () => undefined)
  sending.flushHeaders()
  let lines: AsyncIterator<string> | undefined
  return {
    request: sending,
    nextLine: async () => {
      if (lines === undefined) {
        const [answer] = (await once(sending, 'response')) as [IncomingMessage]
        lines = createInterface(answer)[Symbol.asyncIterator]()
      }
      const { value, done } = await lines.next()
      return done === true ? undefined : JSON.parse(value)
    },
  }
}

async function write({ request: sending }: Sending, text: string): Promise<void> {
  if (!sending.write(text)) await once(sending, 'drain')
}

const person = (name: string, index: number) =>
  `{"username":"${name}-${index}","name":"Person ${index}","email":"${name}-${index}@example.test"}\n`
const batch = (name: string, from: number, count = 600) =>
  Array.from({ length: count }, (_, index) => person(name, from + index)).join('')
const countNamed = async (name: string) =>
  inTenant(
    database.db,
    company,
    async ({ sql }) =>
      (
        await sql<{ people: number; events: number }[]>`
          select (select count(*)::int from users where username like ${`${name}-%`}) as people,
            (select count(*)::int from audit_events
              where action = 'user.imported' and after ->> 'username' like ${`${name}-%`}) as events`
      )[0],
  )

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

/** What is held, without what is only not yet thrown away. */
function liveBytes(): number {
  collectGarbage()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

/** Reads the report to its end. */
async function drain(sending: Sending): Promise<Record<string, never>[]> {
  const answers: Record<string, never>[] = []
  for (let line = await sending.nextLine(); line !== undefined; line = await sending.nextLine()) answers.push(line)
  return answers
}

t.test('100,000 lines of a kilobyte pass through without staying', async t => {
  const filling = 'x'.repeat(200)
  const line = (index: number) =>
    `{"username":"fat-${index}","name":"${filling}","first_name":"${filling}","last_name":"${filling}","external_id":"${filling}"}\n`
  const sending = await open('?dry_run=true')
  const writing = (async () => {
    for (let at = 0; at < 100_000; at += 100) {
      await write(sending, Array.from({ length: 100 }, (_, index) => line(at + index)).join(''))
    }
    sending.request.end()
  })()
  let seen = 0
  let settled = 0
  let last: Record<string, never> | undefined
  for (let each = await sending.nextLine(); each !== undefined; each = await sending.nextLine()) {
    seen += 1
    last = each
    if (seen === 30_000) settled = liveBytes()
  }
  await writing
  t.equal(seen, 100_001)
  t.match(last, { summary: { would_create: 100_000, failed: 0 } })
  const grown = Math.round((liveBytes() - settled) / 1_000_000)
  t.ok(grown < 25, `${grown} MB more than after 30,000 lines; 63 MB came in meanwhile`)
})

t.test('whoever breaks off has brought whole batches, and sends the file again', async t => {
  const sending = await open()
  await write(sending, batch('broken', 0, 1_200))
  for (let line = 0; line < 600; line += 1) t.match(await sending.nextLine(), { status: 'created' })
  sending.request.destroy()
  const again = await open()
  again.request.end(batch('broken', 0, 2_000))
  const [summary] = (await drain(again)).slice(-1)
  t.match(summary, { summary: { failed: 0, lines: 2_000 } })
  const { created = 0, exists = 0 } = summary?.['summary'] ?? {}
  t.equal(created + exists, 2_000)
  t.ok(exists >= 600 && exists % 200 === 0, `${exists} were there`)
  t.strictSame(await countNamed('broken'), { people: 2_000, events: 2_000 })
})

t.test('a file may take longer than other requests, and each part is answered as it is done', async t => {
  const { requestTimeout, headersTimeout } = app.server
  Object.assign(app.server, { requestTimeout: 500, headersTimeout: 400 })
  t.teardown(() => void Object.assign(app.server, { requestTimeout, headersTimeout }))
  const sending = await open()
  const from = performance.now()
  let sent = 0
  // Node looks for late requests every two seconds.
  while (performance.now() - from < 5_000) {
    await write(sending, batch('slow', sent))
    for (let line = 0; line < 600; line += 1) await sending.nextLine()
    sent += 600
  }
  sending.request.end()
  t.match(await drain(sending), [{ summary: { created: sent, failed: 0 } }])
})

t.test('a sender who has stopped is cut off, and what was whole is kept', async t => {
  const usual = app.server.timeout
  app.server.setTimeout(500)
  t.teardown(() => void app.server.setTimeout(usual))
  const sending = await open()
  const gone = once(sending.request, 'close')
  await write(sending, `${batch('stalled', 0, 700)}{"username":"stalled-half`)
  for (let line = 0; line < 600; line += 1) await sending.nextLine()
  await gone
  t.strictSame(await countNamed('stalled'), { people: 600, events: 600 })
})

t.test('who loses the right in the middle goes no further, and hears why', async t => {
  const clerk = await cast.addActor(company, { permissions: ['users:create'] })
  const sending = await open('', clerk)
  await write(sending, batch('rights', 0))
  for (let line = 0; line < 600; line += 1) await sending.nextLine()
  await inTenant(
    database.db,
    company,
    ({ sql }) =>
      sql`delete from membership_roles where tenant_id = ${company} and membership_id = ${clerk.membershipId}`,
  )
  sending.request.end(batch('rights', 600))
  t.match(await drain(sending), [{ problem: { code: 'forbidden', status: 403, instance: /^urn:uuid:/ } }])
  t.strictSame(await countNamed('rights'), { people: 600, events: 600 })
})

t.test('whoever may not is told before the file is read', async t => {
  const sending = await open('', world.member)
  const [answer] = (await once(sending.request, 'response')) as [IncomingMessage]
  t.equal(answer.statusCode, 403)
  t.equal(answer.headers['content-type'], 'application/problem+json; charset=utf-8')
  sending.request.destroy()
})

t.test('a node that stops says so after a batch', async t => {
  const sending = await open()
  await write(sending, batch('stopping', 0))
  for (let line = 0; line < 600; line += 1) await sending.nextLine()
  const closed = app.close()
  sending.request.end(batch('stopping', 600))
  t.match(await drain(sending), [{ problem: { code: 'not-ready' } }])
  await closed
})
