import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { openTransports, startWorker } from '@signet/delivery'
import { logStream } from '@signet/testkit'
import t, { type Test } from 'tap'
import { temporaryFolder, type TestApp, testApp } from './test-app.ts'

const serviceKey = 'a-key-of-another-service-0123'
const kept = logStream('worker')
const note = (facts: object, text: string) => kept.write(`${text} ${inspect(facts)}\n`)
const log = { info: note, warn: note, error: note }

/** The outbox of the app is emptied as the program does it, until the end of the test. */
async function deliver(t: Test, { deps }: TestApp, folder: string, events?: { baseUrl: string; serviceKey: string }) {
  const by = { by: 'file' } as const
  const transports = await openTransports({ folder, email: by, sms: by, events }, deps.clock)
  const worker = startWorker({
    database: deps.database,
    outbox: deps.outbox,
    transports,
    log,
    timing: { pollMs: 10 },
  })
  t.teardown(() => worker.stop())
}

/** Resolves when it is so; the time-out of the test is its limit. */
async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isSo())) await new Promise(resolve => setTimeout(resolve, 10))
}

t.test('system mail is a file in the outbox’s folder', async t => {
  const a = await testApp(t, { deps: { serviceKeys: [serviceKey] } })
  const folder = join(await temporaryFolder(t), 'outbox')
  await deliver(t, a, folder)
  const answer = await a.app.inject({
    method: 'POST',
    url: '/api/v1/system-emails',
    headers: { 'x-api-key': serviceKey },
    payload: { to: 'ada@example.com', subject: 'Disk', html: '<p>full</p>', reply_to: 'ops@example.com' },
  })
  const { id } = answer.json()
  await until(async () => (await readdir(folder).catch((): string[] => [])).includes(`${id}.json`))
  t.match(JSON.parse(await readFile(join(folder, `${id}.json`), 'utf8')), {
    id,
    channel: 'email',
    to: 'ada@example.com',
    subject: 'Disk',
    html: '<p>full</p>',
  })
})

t.test(
  'D-06 people register and sign in while the receiver of events is away, and it hears of them when it is back',
  async t => {
    const received: { path: string | undefined; key: unknown; body: unknown }[] = []
    let isAway = true
    const receiver = createServer((request, response) => {
      let body = ''
      request.on('data', chunk => (body += String(chunk)))
      request.on('end', () => {
        if (!isAway) received.push({ path: request.url, key: request.headers['x-api-key'], body: JSON.parse(body) })
        response.writeHead(isAway ? 503 : 202).end()
      })
    })
    await new Promise<void>(resolve => receiver.listen(0, '127.0.0.1', resolve))
    t.teardown(() => {
      receiver.closeAllConnections()
      return new Promise(resolve => receiver.close(resolve))
    })
    const baseUrl = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}`

    const a = await testApp(t, { deps: { sendsEvents: true } })
    await deliver(t, a, join(await temporaryFolder(t), 'outbox'), { baseUrl, serviceKey })
    const { id } = await a.register({ email: 'ada@example.com' })
    await a.signIn('ada@example.com')
    const failures = () =>
      a.asOwner(async sql =>
        Number(
          (await sql`select count(*) from outbound_messages where attempts > 0 and last_error is not null`)[0]?.count,
        ),
      )
    await until(async () => (await failures()) > 0)
    t.strictSame(received, [])
    isAway = false
    await a.asOwner(sql => sql`update outbound_messages set due_at = now() where status = 'queued'`)
    await until(() => received.length === 2)
    const told = received.toSorted((one, other) => JSON.stringify(one.body).localeCompare(JSON.stringify(other.body)))
    t.strictSame(told, [
      {
        path: '/events/ingest',
        key: serviceKey,
        body: {
          event_type: 'user.created',
          payload: { user_id: id, tenant_id: a.company, kind: 'user' },
          service: 'eng-identity',
          user_id: id,
        },
      },
      {
        path: '/events/ingest',
        key: serviceKey,
        body: {
          event_type: 'user.login',
          payload: { user_id: id, tenant_id: a.company, way: 'password' },
          service: 'eng-identity',
          user_id: id,
        },
      },
    ])
  },
)
