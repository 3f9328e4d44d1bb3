import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { Redis } from 'ioredis'
import t, { type Test } from 'tap'
import {
  type App,
  createServer as createApp,
  createServiceKeyring,
  type LimitSettings,
  limitRequests,
  networkOf,
  requireServiceKey,
} from '../src/index.ts'
import { type Counter, createMemoryCounter } from '../src/counters.ts'
import { createRedisCounter } from '../src/redis-counter.ts'

const redisUrl = 'redis://127.0.0.1:6379'
const hasRedis = await answers(6379)

function loggerOf() {
  const lines: string[] = []
  const stream = { write: (line: string) => void lines.push(line) }
  const said = (pattern: RegExp) => lines.filter(line => pattern.test(line)).length
  return { stream, said, log: createApp({ logger: { level: 'info', stream }, trustProxy: [] }).then(app => app.log) }
}

async function limitedApp(
  t: Test,
  limits: Partial<LimitSettings> = {},
  stream: { write(line: string): void } = { write: () => undefined },
): Promise<App> {
  const app = await createApp({ logger: { level: 'info', stream }, trustProxy: ['127.0.0.1'] })
  await limitRequests(app, { redisUrl: undefined, ...limits })
  app.post(`/three`, { config: { access: 'public', perMinute: 3 } }, async () => 'ok')
  app.post(`/other`, { config: { access: 'public', perMinute: 3 } }, async () => 'ok')
  app.post(`/free`, { config: { access: 'public' } }, async () => 'ok')
  app.post(
    `/services`,
    {
      config: { access: 'public', serviceKey: true, perMinute: 3 },
      onRequest: requireServiceKey(
        createServiceKeyring({
          configured: ['one-of-two', 'two-of-two'],
          sealKey: new Uint8Array(32),
          find: async () => undefined,
        }),
      ),
    },
    async () => 'ok',
  )
  t.teardown(() => app.close())
  await app.ready()
  return app
}

const ask = (app: App, name = 'three', from = '192.0.2.1', headers: Record<string, string> = {}) =>
  app.inject({
    method: 'POST',
    url: `/${name}`,
    headers: { 'x-forwarded-for': from, ...headers },
  })
const statuses = async (app: App, count: number, ...rest: [string?, string?, Record<string, string>?]) => {
  const found: number[] = []
  while (found.length < count) found.push((await ask(app, ...rest)).statusCode)
  return found
}

t.test('a limited route', async t => {
  const app = await limitedApp(t)
  await t.test('tells what is left, and refuses what is too much with a problem', async t => {
    for (const left of ['2', '1', '0']) {
      const answer = await ask(app)
      t.equal(answer.statusCode, 200)
      t.match(answer.headers, { 'ratelimit-limit': '3', 'ratelimit-remaining': left })
      t.ok(isSecondsOfAMinute(answer.headers['ratelimit-reset']))
    }
    const refused = await ask(app)
    t.equal(refused.statusCode, 429)
    t.match(refused.json(), { code: 'too-many-requests', status: 429 })
    t.equal(refused.headers['content-type'], 'application/problem+json; charset=utf-8')
    t.match(refused.headers, { 'ratelimit-limit': '3', 'ratelimit-remaining': '0' })
    t.ok(isSecondsOfAMinute(refused.headers['retry-after']))
    t.notOk(Object.keys(refused.headers).some(name => name.startsWith('x-ratelimit')))
  })
  await t.test('counts by itself, and the others not at all', async t => {
    t.same(await statuses(app, 4, 'other'), [200, 200, 200, 429])
    t.same(new Set(await statuses(app, 100, 'free')), new Set([200]))
    t.notOk(Object.keys((await ask(app, 'free')).headers).some(name => name.startsWith('ratelimit')))
  })
  await t.test('counts a network as one: an IPv4 address, 64 bits of an IPv6 address', async t => {
    t.same(await statuses(app, 1, 'three', '192.0.2.2'), [200])
    const inOne = ['2001:db8::1', '2001:db8:0:0:ffff::9', '2001:0db8::aaaa:1', '2001:db8::2'].map(ip =>
      ask(app, 'three', ip),
    )
    t.same(
      (await Promise.all(inOne)).map(answer => answer.statusCode).toSorted((one, other) => one - other),
      [200, 200, 200, 429],
      'one after the other or at once',
    )
    t.same(await statuses(app, 1, 'three', '2001:db8:0:1::1'), [200])
    t.equal(networkOf('::ffff:192.0.2.1'), '192.0.2.1')
  })
  await t.test('counts services by their key, after the key was looked at', async t => {
    const withKey = (key: string) => statuses(app, 4, 'services', '192.0.2.3', { 'x-api-key': key })
    t.same(await withKey('guessed'), [401, 401, 401, 401])
    t.same(await withKey('one-of-two'), [200, 200, 200, 429])
    t.same(await withKey('two-of-two'), [200, 200, 200, 429])
  })
})

t.test('a factor raises every limit', async t => {
  const app = await limitedApp(t, { factor: 5 })
  t.equal((await ask(app)).headers['ratelimit-limit'], '15')
})

t.test('the counter of a process', async t => {
  let now = 0
  const counter = createMemoryCounter(() => now)
  const count = (key: string, windowMs: number) => counter.count(key, windowMs)
  await t.test('begins a window anew when it is over, to the millisecond', async t => {
    t.same(await count('a', 1_000), { current: 1, ttl: 1_000 })
    now = 999
    t.same(await count('a', 1_000), { current: 2, ttl: 1 })
    now = 1_000
    t.same(await count('a', 1_000), { current: 1, ttl: 1_000 })
  })
  await t.test('holds no more than it must, and forgets the oldest first', async t => {
    now = 1_001
    for (let n = 0; n < 25_000; n++) await count(`network ${n}`, 1_000)
    t.same((await count('network 24999', 1_000)).current, 2)
    t.same((await count('a', 1_000)).current, 1, 'forgotten')
    t.same((await count('network 0', 1_000)).current, 1, 'forgotten')
  })
})

t.test('Redis', { skip: hasRedis ? false : 'no Redis answers at 127.0.0.1:6379' }, async t => {
  const { log } = loggerOf()
  const key = crypto.randomUUID()
  const one = await counterOf(t, redisUrl, log)
  const other = await counterOf(t, redisUrl, log)
  await t.test('counts for all nodes together', async t => {
    t.equal((await one.count(key, 60_000)).current, 1)
    t.equal((await other.count(key, 60_000)).current, 2)
    const { current, ttl } = await one.count(key, 60_000)
    t.equal(current, 3)
    t.ok(ttl > 0 && ttl <= 60_000)
    t.ok((await timeLeft(key)) > 0, 'nothing stays for ever')
  })
  await t.test('gives each of sixteen at once a number of its own', async t => {
    const all = await Promise.all(
      Array.from({ length: 16 }, (_, n) => (n % 2 === 0 ? one : other).count(`${key}-16`, 60_000)),
    )
    t.same(
      all.map(({ current }) => current).toSorted((a, b) => a - b),
      Array.from({ length: 16 }, (_, n) => n + 1),
    )
  })
  await t.test('a window that was left without an end gets one', async t => {
    const redis = new Redis(redisUrl)
    await redis.set(`signet:limit:${key}-endless`, 7)
    redis.disconnect()
    t.same(await one.count(`${key}-endless`, 60_000), { current: 8, ttl: 60_000 })
    t.ok((await timeLeft(`${key}-endless`)) > 0)
  })
})

t.test('D-07 Redis is gone', { skip: hasRedis ? false : 'no Redis answers at 127.0.0.1:6379' }, async t => {
  const wire = await cuttableWire(t)
  const { log, said } = loggerOf()
  const key = crypto.randomUUID()
  const counter = await counterOf(t, `redis://127.0.0.1:${wire.port}`, log)
  const count = async () => (await counter.count(key, 60_000)).current
  t.equal(await count(), 1)
  t.equal(said(/Redis/), 0)
  t.equal(counter.isWhole(), true)

  await t.test('the node counts on by itself, and says so once', async t => {
    wire.cut()
    t.same([await count(), await count(), await count()], [1, 2, 3])
    t.equal(said(/"level":40.*Redis does not answer: until it does, limits are counted by this node alone/), 1)
    t.equal(said(/"level":[56]0/), 0)
    t.equal(counter.isWhole(), false)
  })
  await t.test('and says once that it is back, when all nodes count together again', async t => {
    await wire.mend()
    const deadline = performance.now() + 20_000
    let current = 0
    while (said(/Redis is back/) === 0 && performance.now() < deadline) {
      current = await count()
      // What is counted here leaves sockets and timers no turn.
      await new Promise(resolve => setImmediate(resolve))
    }
    t.equal(said(/"level":30.*Redis is back: limits are counted for all nodes together again/), 1)
    t.equal(current, 2, 'where Redis left off')
    t.equal(counter.isWhole(), true)
    t.equal(said(/Redis does not answer/), 1)
  })
  await t.test('a Redis that keeps silent is no better than none', async t => {
    wire.hold()
    t.ok((await count()) > 3, 'where the node left off')
    t.equal(said(/Redis does not answer/), 2)
    t.equal(counter.isWhole(), false)
  })
})

t.test('D-07 a server starts, and limits, where there is no Redis yet', async t => {
  const nowhere = createServer()
  await new Promise<void>(resolve => nowhere.listen(0, '127.0.0.1', resolve))
  const { port } = nowhere.address() as AddressInfo
  await new Promise(resolve => nowhere.close(resolve))
  const { stream, said } = loggerOf()
  const app = await limitedApp(t, { redisUrl: `redis://somebody:hunter2@127.0.0.1:${port}` }, stream)
  t.same(await statuses(app, 4), [200, 200, 200, 429])
  t.equal(said(/Redis does not answer/), 1)
  t.equal(said(/hunter2|somebody/), 0)
})

/** Patient: the machine that runs the tests is busy. */
async function counterOf(t: Test, url: string, log: Promise<App['log']>): Promise<Counter> {
  const counter = createRedisCounter(url, await log, 2_000)
  t.teardown(() => counter.close())
  await counter.open()
  return counter
}

async function timeLeft(key: string): Promise<number> {
  const redis = new Redis(redisUrl)
  const left = await redis.pttl(`signet:limit:${key}`)
  redis.disconnect()
  return left
}

function isSecondsOfAMinute(value: unknown): boolean {
  return typeof value === 'string' && /^\d+$/.test(value) && Number(value) > 0 && Number(value) <= 60
}

function answers(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect(port, '127.0.0.1', () => resolve(true))
    socket.on('error', () => resolve(false))
    socket.on('connect', () => socket.destroy())
  })
}

/** A way to Redis that can be cut, mended on the same port, or made to swallow what is sent. */
async function cuttableWire(t: Test) {
  const sockets = new Set<Socket>()
  let isHeld = false
  const keep = (socket: Socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined)
    socket.on('close', () => sockets.delete(socket))
    return socket
  }
  const server = createServer(near => {
    const far = connect(6379, '127.0.0.1')
    keep(near).on('data', data => isHeld || far.write(data))
    keep(far).on('data', data => near.write(data))
    near.on('close', () => far.destroy())
    far.on('close', () => near.destroy())
  })
  const listen = (port: number) => new Promise<void>(resolve => server.listen(port, '127.0.0.1', resolve))
  const cut = () => {
    server.close()
    for (const socket of sockets) socket.destroy()
  }
  await listen(0)
  const { port } = server.address() as AddressInfo
  t.teardown(cut)
  return { port, cut, mend: () => listen(port), hold: () => (isHeld = true) }
}
