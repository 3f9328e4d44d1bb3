import { mkdtemp, readFile, rm, writeFile, chmod } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { AuthError, createVerifier } from '@signet/verifier'
import { signet } from '@signet/verifier/fastify'
import { problem } from '@signet/kernel'
import t from 'tap'
import { Type } from 'typebox'
import { type App, createServer, describeApi, loadInstallationSecret, serveHealth, strictObject } from '../src/index.ts'

const open = { config: { access: 'public' as const } }

async function serverWithRoutes(lines: string[] = []): Promise<App> {
  const stream = { write: (line: string) => void lines.push(line) }
  const app = await createServer({ logger: { level: 'info', stream }, trustProxy: [] })
  const verifier = createVerifier({ issuer: 'https://id.test', audience: 'test' })
  await app.register(signet, { verifier, securityScheme: 'bearer' })
  await describeApi(app, {
    title: 'Test',
    version: '1.0.0',
    description: 'For tests',
    serverUrl: 'http://localhost',
    tags: [],
  })
  const body = strictObject({ name: Type.String({ minLength: 1, maxLength: 20 }), age: Type.Optional(Type.Integer()) })
  app.post('/things', { ...open, schema: { body } }, async request => request.body)
  app.get(
    '/things',
    { ...open, schema: { querystring: strictObject({ limit: Type.Optional(Type.Integer({ maximum: 9 })) }) } },
    async r => r.query,
  )
  app.post('/things/:id/suspend', open, async request => ({ body: request.body ?? 'none' }))
  app.delete('/things/:id', open, async request => ({ body: request.body ?? 'none' }))
  app.get('/secret/:key', open, async () => 'ok')
  app.get('/guarded', { config: { access: {} } }, async () => 'ok')
  app.get('/refused', open, async () => {
    throw problem('hashing-busy', undefined, { retryAfterSeconds: 1.2 })
  })
  app.get('/unsigned', open, async () => {
    throw new AuthError('expired')
  })
  app.get('/broken', open, async () => {
    throw Object.assign(new Error('password hunter2 at /srv/db.ts'), { statusCode: 500 })
  })
  return app
}

t.test('the server', async t => {
  const lines: string[] = []
  const app = await serverWithRoutes(lines)
  t.teardown(() => app.close())
  const json = { 'content-type': 'application/json' }
  const post = (payload: string | Buffer, headers: Record<string, string> = json) =>
    app.inject({ method: 'POST', url: '/things', headers, payload })

  t.test('I-03 reads no body that says it is anything but UTF-8', async t => {
    for (const charset of ['utf-7', 'utf-16', 'iso-8859-1', '"utf-7"', '']) {
      const answer = await post('{"name":"a"}', { 'content-type': `application/json\t; charset=${charset}` })
      t.match(answer.json(), { status: 415, code: 'unsupported-media-type' }, charset)
    }
    for (const charset of ['utf-8', 'UTF-8', '"utf-8"']) {
      const answer = await post('{"name":"a"}', { 'content-type': `application/json; charset=${charset}` })
      t.equal(answer.statusCode, 200, charset)
    }
  })
  t.test('answers a faulty body with the problem that names the fault', async t => {
    for (const [payload, status, code] of [
      ['{"name":', 400, 'malformed-body'],
      ['', 400, 'malformed-body'],
      ['{"name":"a","__proto__":{"x":1}}', 400, 'malformed-body'],
      ['{"name":"a","constructor":{"prototype":{}}}', 400, 'malformed-body'],
      ['[]', 400, 'invalid-input'],
      ['null', 400, 'invalid-input'],
      ['{}', 400, 'invalid-input'],
      ['{"name":7}', 400, 'invalid-input'],
      ['{"name":"a","age":"7"}', 400, 'invalid-input'],
      ['{"name":"a","role":"admin"}', 400, 'invalid-input'],
      ['{"name":"a\\u0000b"}', 400, 'invalid-input'],
      ['{"name":"\\ud800"}', 400, 'invalid-input'],
      [`{"name":"${'x'.repeat(70_000)}"}`, 413, 'body-too-large'],
    ] as const) {
      const answer = await post(payload)
      t.equal(answer.statusCode, status, payload.slice(0, 40))
      t.equal(answer.headers['content-type'], 'application/problem+json; charset=utf-8')
      t.equal(answer.json().code, code, payload.slice(0, 40))
      t.equal(answer.json().instance, `urn:uuid:${String(answer.headers['x-request-id'])}`)
    }
  })

  t.test('takes an empty body for none where none is wanted, whatever the client calls it', async t => {
    const none = (method: 'POST' | 'DELETE', url: string, payload = '', type = 'application/json') =>
      app.inject({ method, url, payload, headers: { 'content-type': type } })
    for (const type of ['application/json', 'application/json; charset=utf-8']) {
      t.strictSame((await none('POST', '/things/1/suspend', '', type)).json(), { body: 'none' })
      t.strictSame((await none('DELETE', '/things/1', '', type)).json(), { body: 'none' })
    }
    t.match((await none('DELETE', '/nothing')).json(), { status: 404, code: 'route-not-found' })
    t.match((await none('POST', '/things')).json(), {
      code: 'malformed-body',
      detail: 'The body is empty, and this route needs a JSON document.',
    })
    for (const [payload, code] of [
      [' ', 'malformed-body'],
      ['{', 'malformed-body'],
      ['{"__proto__":{"x":1}}', 'malformed-body'],
      ['{"constructor":{"prototype":{}}}', 'malformed-body'],
      [`"${'x'.repeat(70_000)}"`, 'body-too-large'],
    ] as const) {
      t.equal((await none('POST', '/things/1/suspend', payload)).json().code, code, payload.slice(0, 40))
    }
  })

  t.test('says where each fault is', async t => {
    const { errors } = (await post('{"age":"x","role":1}')).json()
    t.strictSame(errors.map((fault: { pointer: string }) => fault.pointer).toSorted(), ['/age', '/name', '/role'])
    const query = await app.inject('/things?limit=10&colour=red')
    t.strictSame(
      query
        .json()
        .errors.map((fault: { pointer: string }) => fault.pointer)
        .toSorted(),
      ['?colour', '?limit'],
    )
  })

  t.test('takes a query as the text that it is and a body as it was sent', async t => {
    t.strictSame((await app.inject('/things?limit=9')).json(), { limit: 9 })
    t.strictSame((await post('{"name":"Ada","age":7}')).json(), { name: 'Ada', age: 7 })
  })

  t.test('reads no content type but JSON', async t => {
    for (const type of [
      'text/plain',
      'application/xml',
      'application/x-www-form-urlencoded',
      'multipart/form-data; boundary=x',
    ]) {
      const answer = await post('{"name":"Ada"}', { 'content-type': type })
      t.equal(answer.statusCode, 415, type)
      t.equal(answer.json().code, 'unsupported-media-type')
    }
  })

  t.test('answers what does not exist, what is busy and what is refused with their problem and headers', async t => {
    const none = await app.inject('/nothing')
    t.equal(none.statusCode, 404)
    t.equal(none.json().code, 'route-not-found')
    const busy = await app.inject('/refused')
    t.equal(busy.statusCode, 503)
    t.equal(busy.headers['retry-after'], '2')
    const refused = await app.inject('/unsigned')
    t.equal(refused.statusCode, 401)
    t.match(refused.headers['www-authenticate'], /^Bearer .*invalid_token/)
  })

  t.test('tells nothing of a fault of ours, and logs it under the request id', async t => {
    const answer = await app.inject('/broken')
    t.equal(answer.statusCode, 500)
    t.equal(answer.json().code, 'internal-error')
    t.notMatch(answer.body, /hunter2|\.ts/)
    t.match(
      lines.find(line => line.includes('hunter2')),
      answer.headers['x-request-id'],
    )
  })

  t.test('logs a refusal for now in one short line, however many there are', async t => {
    const { headers } = await app.inject('/refused')
    const own = lines.filter(line => line.includes(String(headers['x-request-id']))).map(line => JSON.parse(line))
    t.match(own, [
      {
        level: 40,
        status: 503,
        code: 'hashing-busy',
        detail: 'Try again as Retry-After says.',
        err: undefined,
        msg: 'served',
      },
    ])
    t.equal(own.length, 1)
  })

  t.test('names the problem in the line of every request that failed, and quotes nothing of it', async t => {
    const failures = { '/nothing': 'route-not-found', '/unsigned': 'expired', '/broken': 'internal-error' }
    for (const [url, code] of Object.entries(failures)) {
      const answer = await app.inject(url)
      t.equal(answer.json().code, code)
      const own = lines
        .filter(line => line.includes(String(answer.headers['x-request-id'])))
        .map(line => JSON.parse(line))
      t.match(own.at(-1), { msg: 'served', code, detail: undefined })
    }
  })

  t.test('writes the route and never the address into its log', async t => {
    await app.inject({ url: '/secret/tell-nobody?code=123456', headers: { authorization: 'Bearer abc.def' } })
    t.ok(lines.some(line => line.includes('"route":"/secret/:key"')))
    t.notOk(lines.some(line => /tell-nobody|123456|abc\.def/.test(line)))
  })

  t.test('lets no page frame it and no browser guess its types, and its own documentation be shown', async t => {
    const answer = await app.inject('/things')
    t.match(answer.headers, { 'x-content-type-options': 'nosniff', 'content-security-policy': /default-src 'none'/ })
    const page = await app.inject('/docs/')
    t.match(page.headers['content-security-policy'], /script-src 'self'/)
  })

  t.test('describes each route and its security', async t => {
    const document = (await app.inject('/openapi.json')).json()
    t.equal(document.openapi, '3.1.0')
    t.strictSame(document.paths['/things'].post.security, [])
    t.strictSame(document.paths['/guarded'].get.security, [{ bearer: [] }])
    t.equal((await app.inject('/docs/')).statusCode, 200)
  })
})

t.test('H-06 headers over 16 kB, and what is no HTTP, are answered with a problem too', async t => {
  const app = await serverWithRoutes()
  t.teardown(() => app.close())
  const port = Number(new URL(await app.listen({ host: '127.0.0.1', port: 0 })).port)
  const ask = (text: string) =>
    new Promise<string>((resolve, reject) => {
      const socket = connect(port, '127.0.0.1', () => socket.write(text))
      let answer = ''
      socket.on('data', data => (answer += data))
      socket.on('close', () => resolve(answer))
      socket.on('error', reject)
    })
  const large = await ask(`GET /livez HTTP/1.1\r\nhost: x\r\nx-large: ${'x'.repeat(20_000)}\r\n\r\n`)
  t.match(large, /^HTTP\/1\.1 431 /)
  t.match(large, /"code":"headers-too-large"/)
  const garbage = await ask('\x16\x03\x01 hello\r\n\r\n')
  t.match(garbage, /^HTTP\/1\.1 400 /)
  t.match(garbage, /"code":"malformed-body"/)
})

t.test('health', async t => {
  const state = { isBroken: false, limits: 'ok' }
  const app = await createServer({ logger: false, trustProxy: [] })
  const database = async () => {
    if (state.isBroken) throw new Error('connect ECONNREFUSED 10.0.0.1')
  }
  const keys = () => {
    if (state.isBroken) throw new Error('EACCES: /srv/keys')
  }
  const checks = { keys, database, limits: () => state.limits }
  serveHealth(app, { version: '1.2.3', checks })
  t.teardown(() => app.close())

  t.strictSame((await app.inject('/livez')).json(), { status: 'ok' })
  t.strictSame((await app.inject('/version')).json(), { version: '1.2.3' })
  const well = { keys: 'ok', database: 'ok', limits: 'ok' }
  t.strictSame((await app.inject('/readyz')).json(), { status: 'ok', checks: well })
  state.limits = 'degraded'
  const degraded = await app.inject('/readyz')
  t.equal(degraded.statusCode, 200)
  t.strictSame(degraded.json(), { status: 'ok', checks: { ...well, limits: 'degraded' } })
  state.isBroken = true
  const broken = await app.inject('/readyz')
  t.equal(broken.statusCode, 503)
  t.match(broken.json(), { code: 'not-ready', detail: 'These checks fail: database, keys.' })
  t.notMatch(broken.body, /10\.0\.0\.1|EACCES/)
  state.isBroken = false
  app.drain.refuse()
  t.equal((await app.inject('/readyz')).statusCode, 503)
  t.equal((await app.inject('/livez')).statusCode, 200)
})

t.test('C-03 a process that cannot keep up', async t => {
  const app = await createServer({ logger: false, trustProxy: [] })
  t.teardown(() => app.close())
  app.get('/keys', { config: { access: 'public', isVital: true } }, async () => 'keys')
  app.get('/rest', open, async () => 'rest')
  await app.listen({ host: '127.0.0.1', port: 0 })
  const never = new Int32Array(new SharedArrayBuffer(4))
  const isServed = async (path: string) => (await app.inject(path)).statusCode === 200
  const stall = async (ms: number) => {
    Atomics.wait(never, 0, 0, ms)
    await new Promise(resolve => setImmediate(resolve))
  }
  t.ok(await isServed('/rest'))
  const began = performance.now()
  do await stall(700)
  while (await isServed('/rest'))
  t.ok(performance.now() - began > 2_000, 'not while it begins')
  const refused = await app.inject('/rest')
  t.match(refused.json(), { status: 503, code: 'overloaded' })
  t.equal(refused.headers['retry-after'], '1')
  t.ok(await isServed('/keys'))

  await pause(3_000)
  t.ok(await isServed('/rest'), 'who keeps up again serves again')
  do await stall(700)
  while (!app.isUnderPressure())
  t.ok(await isServed('/rest'), 'one late sample may be one stall')
})

t.test("the installation's secret", async t => {
  const folder = await mkdtemp(join(tmpdir(), 'signet-secret-'))
  t.teardown(() => rm(folder, { recursive: true }))

  t.test('is made once, by whoever comes first', async t => {
    const secrets = await Promise.all(Array.from({ length: 8 }, () => loadInstallationSecret(folder)))
    t.ok(secrets.every(secret => secret.equals(secrets[0] as Buffer) && secret.length === 32))
    t.ok((await readFile(join(folder, 'secret'))).equals(secrets[0] as Buffer))
  })
  t.test('is refused when others can read it, or when it is damaged', async t => {
    await chmod(join(folder, 'secret'), 0o644)
    await t.rejects(loadInstallationSecret(folder), /chmod 600/)
    await chmod(join(folder, 'secret'), 0o600)
    await writeFile(join(folder, 'secret'), 'x'.repeat(40))
    await t.rejects(loadInstallationSecret(folder), /does not hold 32 bytes/)
  })
})
