/** Events to verifiers, on real sockets and over two nodes of one installation. */
import { once } from 'node:events'
import { connect } from 'node:net'
import { runStatement, withAdminClient } from '@signet/db'
import { type App, loggerOptions } from '@signet/http'
import { newId } from '@signet/kernel'
import { testLogger } from '@signet/testkit'
import t, { type Test } from 'tap'
import { buildApp } from '../src/app.ts'
import type { Deps } from '../src/deps.ts'
import { openSigningKeys } from '../src/modules/keys/index.ts'
import { rotateKeys } from '../src/modules/keys/key-administration.ts'
import { testApp, type Tokens } from './test-app.ts'
import { listenTo, readList, until } from './verifier-callers.ts'

const serviceKey = 'the-key-of-the-operator-0123456789'
const a = await testApp(t, { deps: { serviceKeys: [serviceKey] } })
const address = await a.app.listen({ host: '127.0.0.1', port: 0 })
await isListening(a.app)
await a.register({ email: 'ada@example.com' })

const statusOf = (tokens: Tokens): { idx: number; uri: string } =>
  JSON.parse(Buffer.from(tokens.access_token.split('.')[1] ?? '', 'base64url').toString()).status.status_list
const signOut = (tokens: Tokens) => a.post('/api/v1/tokens/revoke', { refresh_token: tokens.refresh_token })
const eventOf = ({ idx, uri }: { idx: number; uri: string }) => ['revoked', { uri, idx }] as const

/** A wrong Last-Event-ID costs nothing, and HEAD does not exist: a GET that is refused says whether the node is ready. */
async function isListening(app: App): Promise<void> {
  const url = new URL(`http://127.0.0.1:${(app.server.address() as { port: number }).port}/verifier/events`)
  await until(async () => {
    const abort = new AbortController()
    const { status } = await fetch(url, { signal: abort.signal })
    abort.abort()
    return status === 200
  }, 'the database being listened to')
}

/** Another issuer of the same installation: its own process would hold its own keys and connections, too. */
async function startNode(t: Test, deps: Partial<Deps> = {}) {
  const signingKeys = await openSigningKeys({ folder: a.keysFolder, tokenLifeMs: 900_000, clock: a.deps.clock })
  const logger = testLogger(loggerOptions('trace', 'json', 'iam'), 'iam-2')
  const app = await buildApp({ ...a.deps, signingKeys, ...deps, logger, trustProxy: [] })
  const url = await app.listen({ host: '127.0.0.1', port: 0 })
  t.teardown(async () => {
    await app.close()
    signingKeys.close()
  })
  await isListening(app)
  return { app, url }
}

t.test('a stream begins with what a client has to know', async t => {
  const { head, comments, events } = await listenTo(t, address)
  t.match(head, /^HTTP\/1.1 200/)
  t.match(head, /content-type: text\/event-stream/i)
  t.match(head, /cache-control: no-store/i)
  t.match(head, /x-request-id: /i)
  t.match(comments, [/^retry: 1000\n: /])
  t.strictSame(events, [])
  t.equal((await a.app.inject({ method: 'HEAD', url: '/verifier/events' })).statusCode, 404)
})

t.test('a session that ends through one node is told by every other', async t => {
  const two = await startNode(t)
  const readers = await Promise.all([listenTo(t, address), listenTo(t, two.url), listenTo(t, two.url)])
  const tokens: Tokens = await a.signIn('ada@example.com')
  const status = statusOf(tokens)
  const path = new URL(status.uri).pathname
  t.equal((await two.app.inject({ url: path })).statusCode, 200, 'the other node holds the list')
  await signOut(tokens)
  await until(() => readers.every(reader => reader.has(...eventOf(status))), 'all events')
  const ids = readers.map(({ events }) => events.find(({ data }) => data.idx === status.idx)?.id)
  t.equal(new Set(ids).size, 1, 'the position is the same on every node')
  const [one, other] = await Promise.all([a.app.inject({ url: path }), two.app.inject({ url: path })])
  t.equal(other.headers['etag'], one.headers['etag'], 'and so is what the list says')
  t.equal((await readList(a, status.uri)).isSet(status.idx), true)
})

t.test('who comes back hears what they missed, from whichever node', async t => {
  const two = await startNode(t)
  const first = await listenTo(t, address)
  const [before, meanwhile] = [await a.signIn('ada@example.com'), await a.signIn('ada@example.com')]
  await signOut(before)
  await until(() => first.has(...eventOf(statusOf(before))), 'the first event')
  const lastId = first.events.at(-1)?.id ?? ''
  first.socket.destroy()
  await signOut(meanwhile)
  const again = await listenTo(t, two.url, { 'last-event-id': lastId })
  await until(() => again.has(...eventOf(statusOf(meanwhile))), 'what was missed')
  const fresh = await listenTo(t, two.url)
  const later = await a.signIn('ada@example.com')
  await signOut(later)
  await until(() => fresh.has(...eventOf(statusOf(later))), 'what happens from now on')
  t.equal(fresh.has(...eventOf(statusOf(meanwhile))), false)
  await t.test('but not what ended when all its tokens have expired, however far back they ask', async t => {
    const old = await a.signIn('ada@example.com')
    const { idx } = statusOf(old)
    const listener = await listenTo(t, two.url)
    await a.asOwner(
      sql => sql`update sessions set ended_at = now() - interval '1 day', end_reason = 'x' where status_index = ${idx}`,
    )
    // It was told to those who listen when it was written: whoever comes before that would hear it, too.
    await until(() => listener.has(...eventOf(statusOf(old))), 'the announcement')
    const reader = await listenTo(t, two.url, { 'last-event-id': '1' })
    await until(() => reader.has(...eventOf(statusOf(later))), 'the replay')
    t.equal(reader.has(...eventOf(statusOf(old))), false)
  })
  await t.test('and a position that is none is passed over', async t => {
    for (const id of ['x', '-1', '1.5', '9'.repeat(40), "';--"]) {
      const reader = await listenTo(t, address, { 'last-event-id': id })
      t.equal(reader.status, 200, id)
      t.strictSame(reader.events, [])
    }
  })
})

t.test('changes of the keys are told to all, those of bundles to services alone', async t => {
  const [anybody, service] = [await listenTo(t, address), await listenTo(t, address, { 'x-api-key': serviceKey })]
  t.equal((await listenTo(t, address, { 'x-api-key': 'wrong' })).status, 401)
  await rotateKeys({ folder: a.keysFolder, tokenLifeMs: 900_000, clock: a.deps.clock })
  const kids = () => ({ kids: a.signingKeys.keySet().keys.map(({ kid }) => kid) })
  await until(() => anybody.has('keys', kids()) && service.has('keys', kids()), 'the keys')

  const role = newId()
  await a.asOwner(sql => sql`insert into roles (tenant_id, id, name) values (${a.company}, ${role}, 'made to be told')`)
  const [row] = await runStatement(
    a.database.db,
    sql => sql<{ version: string }[]>`select find_bundle_version(${a.company}) as version`,
  )
  const change = { tid: a.company, version: Number(row?.version) }
  await until(() => service.has('bundle', change), 'the bundle')
  await a.asOwner(sql => sql`insert into permissions (code, service, description) values ('told:read', 'told', '')`)
  await until(() => service.events.some(({ event, data }) => event === 'bundle' && data.tid === null), 'the catalogue')
  const tokens = await a.signIn('ada@example.com')
  await signOut(tokens)
  await until(() => anybody.has(...eventOf(statusOf(tokens))), 'something later')
  t.equal(
    anybody.events.some(({ event }) => event === 'bundle'),
    false,
  )
})

t.test('places are limited', async t => {
  const { url } = await startNode(t, { streams: { mostStreams: 4, mostPerNetwork: 2 } })
  const held = [await listenTo(t, url), await listenTo(t, url)]
  t.equal(held[0]?.status, 200)
  const third = await listenTo(t, url)
  t.equal(third.status, 429, 'by network')
  t.match(third.head, /retry-after: \d+/i)
  const services = [
    await listenTo(t, url, { 'x-api-key': serviceKey }),
    await listenTo(t, url, { 'x-api-key': serviceKey }),
  ]
  t.equal(services[1]?.status, 200, 'services share networks with each other')
  const full = await listenTo(t, url, { 'x-api-key': serviceKey })
  t.equal(full.status, 503, 'and in all')
  t.match(full.head, /retry-after: \d+/i)
  for (const { socket } of held) socket.destroy()
  await until(async () => (await listenTo(t, url)).status === 200, 'a free place')
})

t.test('a reader that reads nothing is cut, and one that reads gets everything', async t => {
  const { app, url } = await startNode(t, { streams: { mostBufferedBytes: 65_536, mostBehindMs: 500 } })
  const { hostname, port } = new URL(url)
  const open = async () => {
    const socket = connect(Number(port), hostname)
    t.teardown(() => socket.destroy())
    await once(socket, 'connect')
    socket.write(`GET /verifier/events HTTP/1.1\r\nhost: ${hostname}:${port}\r\n\r\n`)
    return socket
  }
  const good = await open()
  let read = 0
  let rest = ''
  good.setEncoding('utf8').on('data', (part: string) => {
    const lines = (rest + part).split('\n')
    rest = lines.pop() ?? ''
    read += lines.filter(line => line.startsWith('event: revoked')).length
  })
  const slow = await open()
  slow.pause()
  const sockets = async () =>
    new Promise<number>(resolve => app.server.getConnections((_error, count) => resolve(count)))
  await until(async () => (await sockets()) === 2, 'two connections')
  const indexes = Array.from({ length: 1_000 }, (_, index) => index)
  let told = 0
  while ((await sockets()) === 2 && told < 1_000_000) {
    const payload = JSON.stringify({ list: 2 + told / 1_000, indexes, at: Date.now() * 1_000 })
    await runStatement(a.database.db, sql => sql`select pg_notify('signet_revoked', ${payload})`)
    told += 1_000
  }
  t.equal(await sockets(), 1)
  await until(() => read === told, `the reading of ${told} events`)
  t.ok(told > 10_000, `after ${told} events`)
})

t.test('a heartbeat says that the database is heard; where it is not, streams end', async t => {
  const { url, app } = await startNode(t, { streams: { heartbeatMs: 50 } })
  const reader = await listenTo(t, url)
  await until(() => reader.comments.length > 3, 'heartbeats')
  t.match(reader.comments.at(-1), /^: /)
  // The database lets nobody in: what listens is cut, and comes back to a closed door.
  const name = new URL(a.database.url).pathname.slice(1)
  const shut = (isShut: boolean) =>
    withAdminClient(a.database.superUrl, async sql => {
      await sql.unsafe(`alter role ${name} ${isShut ? 'nologin' : 'login'}`)
      if (isShut)
        await sql`select pg_terminate_backend(pid) from pg_stat_activity where usename = ${name} and application_name = 'signet-notices'`
    })
  await shut(true)
  await until(() => reader.isEnded(), 'the end of the stream')
  t.match(await app.inject({ url: '/verifier/events' }), { statusCode: 503, body: /not-ready/ })
  const tokens = await a.signIn('ada@example.com')
  const { uri, idx } = statusOf(tokens)
  t.equal((await readList(a, uri)).isSet(idx), false)
  await signOut(tokens)
  t.equal((await readList(a, uri)).isSet(idx), true, 'lists are right at once all the same')
  await shut(false)
  await isListening(app)
  await isListening(a.app)
})

t.test('a stop ends all streams at once', async t => {
  const { url, app } = await startNode(t)
  const readers = await Promise.all(Array.from({ length: 20 }, () => listenTo(t, url)))
  const begun = performance.now()
  await app.close()
  t.ok(performance.now() - begun < 2_000, `${Math.round(performance.now() - begun)} ms`)
  await until(() => readers.every(reader => reader.isEnded()), 'the end of the streams')
})

t.test('a silent stream outlives the time that a connection may be idle', { timeout: 60_000 }, async t => {
  const { app, url } = await startNode(t, { streams: { heartbeatMs: 60_000 } })
  app.server.setTimeout(300)
  const idle = connect(Number(new URL(url).port), '127.0.0.1')
  const reader = await listenTo(t, url)
  await once(idle, 'close')
  const tokens = await a.signIn('ada@example.com')
  await signOut(tokens)
  await until(() => reader.has(...eventOf(statusOf(tokens))), 'an event after the silence')
})
