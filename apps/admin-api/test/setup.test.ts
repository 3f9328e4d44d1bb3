import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { createHasher } from '@signet/accounts'
import { createOutbox } from '@signet/delivery'
import { runStatement, withAdminClient } from '@signet/db'
import { loggerOptions } from '@signet/http'
import { deriveKey, SettingsError } from '@signet/kernel'
import { createTestCast, logStream, plantCanary, testDatabase, testLogger } from '@signet/testkit'
import { createVerifier } from '@signet/verifier'
import { createTestIssuer } from '@signet/verifier/testing'
import t, { type Test } from 'tap'
import { readConfig } from '../src/config.ts'
import { createServiceClient } from '../src/service-client.ts'
import { createImageConverter } from '../src/imaging/convert.ts'
import { type AppDeps, bootstrapInstallation, buildApp, startAdminApi } from '../src/index.ts'
import { compatSettings } from './world.ts'

const issuer = createTestIssuer()
const gatewayKey = 'the key of a gateway alone 4711'
plantCanary('service key', gatewayKey)

/** An app on a database that nobody has initialised. */
async function freshApp(t: Test, setup: AppDeps['setup']) {
  const { db } = await testDatabase(t)
  const secret = randomBytes(32)
  const deps: AppDeps = {
    db,
    hasher: createHasher({ maxConcurrent: 2, queueLimit: 100 }),
    passwordMinLength: 8,
    sendsEvents: false,
    outbox: createOutbox(deriveKey(secret, 'outbox')),
    setup,
    services: createServiceClient({ urls: {}, key: undefined }),
    serviceUrls: {},
    images: { storage: undefined, convert: createImageConverter(), maxMegabytes: 5 },
    keys: {
      cursor: deriveKey(secret, 'cursor'),
      idempotency: deriveKey(secret, 'idempotency'),
      serviceKey: deriveKey(secret, 'service-key'),
    },
    verifier: createVerifier({ issuer: issuer.issuer, audience: issuer.audience, keys: { jwks: issuer.jwks } }),
    serviceKeys: [gatewayKey],
    addresses: { iam: 'http://localhost:4000', admin: 'http://localhost:4001', places: 'http://localhost:4002' },
    url: 'http://localhost:4001',
    settings: {},
    trustProxy: [],
    ...compatSettings,
    logger: testLogger(loggerOptions('trace', 'json', 'admin-api'), 'admin-api'),
  }
  const app = await buildApp(deps)
  t.teardown(() => app.close())
  const url = '/admin/v1/bootstrap'
  const input = {
    company: { name: 'Acme Mobility' },
    user: { email: 'Root@Example.test', password: 'correct horse battery', first_name: 'Ada', last_name: 'Lovelace' },
  }
  const post = async (over: { payload?: object; remoteAddress?: string; headers?: Record<string, string> } = {}) => {
    const answer = await app.inject({ method: 'POST', url, payload: input, ...over })
    return { status: answer.statusCode, body: answer.json() }
  }
  const isInitialised = async () => (await app.inject(url)).json()
  const members = () =>
    runStatement(
      db,
      sql => sql<{ slug: string; roles: string[]; staff: boolean }[]>`
        select t.slug, a.roles, a.is_platform_staff as staff
        from find_sign_in('root@example.test', null, null, null, null) s
        join all_tenants t on true cross join lateral member_access(t.id, s.user_id) a order by t.slug`,
    )
  return { app, deps, input, post, isInitialised, members }
}

t.test('a gateway finds every program before there is an administrator, who is made through it', async t => {
  const { app } = await freshApp(t, { token: undefined, isLoopbackTrusted: false })
  const ask = (headers: Record<string, string>) => app.inject({ url: '/admin/v1/gateway/routes', headers })
  const map = await ask({ 'x-api-key': gatewayKey })
  t.equal(map.statusCode, 200)
  const services = new Set(map.json<{ items: { service: string }[] }>().items.map(({ service }) => service))
  t.same([...services].toSorted(), ['admin-api', 'iam', 'places'])
  t.equal((await ask({ 'x-api-key': 'a guess' })).statusCode, 401)
})

t.test('bootstrap', async t => {
  const token = 'a setup token that is long enough'.replaceAll(' ', '-')
  const { post, isInitialised, members, input } = await freshApp(t, { token, isLoopbackTrusted: true })
  const bearer = { authorization: `Bearer ${token}` }

  await t.test('is for whoever calls from this machine, or holds the setup token', async t => {
    t.strictSame(await isInitialised(), { initialised: false })
    const refused = { status: 401, body: { code: 'setup-token-invalid' } }
    t.match(await post({ remoteAddress: '192.0.2.7' }), refused, 'a stranger')
    t.match(await post({ remoteAddress: '192.0.2.7', headers: { authorization: 'Bearer wrong' } }), refused, 'a guess')
    t.match(
      await post({ remoteAddress: '192.0.2.7', headers: { authorization: `Bearer ${token}x` } }),
      refused,
      'almost',
    )
    t.match(await post({ remoteAddress: '192.0.2.7', headers: { authorization: token } }), refused, 'another scheme')
    for (const name of ['x-forwarded-for', 'forwarded', 'x-real-ip', 'via']) {
      t.match(
        await post({ headers: { [name]: '127.0.0.1' } }),
        refused,
        `a stranger through a proxy on this machine, by ${name}`,
      )
    }
    t.match(
      await post({ remoteAddress: '192.0.2.7', payload: { broken: true } }),
      refused,
      'told before the body is looked at',
    )
    t.strictSame(await isInitialised(), { initialised: false })
  })
  await t.test('keeps the rules of passwords, slugs and members', async t => {
    const { company, user } = input
    for (const [payload, status, code] of [
      [{ company, user: { ...user, password: 'short' } }, 400, 'password-too-short'],
      [{ company, user: { ...user, password: 'lovelace forever' } }, 400, 'password-own-words'],
      [{ company: { name: '株式会社' }, user }, 400, 'invalid-input'],
      [{ company: { name: 'x', slug: 'Not A Slug' }, user }, 400, 'invalid-input'],
      [{ company: { name: 'Platform' }, user }, 409, 'tenant-slug-taken'],
      [{ company, user: { ...user, is_platform_staff: true } }, 400, 'invalid-input'],
      [{ company }, 400, 'invalid-input'],
    ] as const) {
      t.match(await post({ payload }), { status, body: { code } }, JSON.stringify(payload))
    }
    t.strictSame(await isInitialised(), { initialised: false }, 'nothing is half-written')
  })
  await t.test('happens once: of sixteen at once one does it', async t => {
    const answers = await Promise.all(
      Array.from({ length: 16 }, (_, index) =>
        post(index % 2 === 0 ? {} : { remoteAddress: '192.0.2.7', headers: bearer }),
      ),
    )
    const [made, ...others] = answers.filter(({ status }) => status === 201)
    t.match(made?.body, {
      platform: { slug: 'platform' },
      company: { slug: 'acme-mobility', name: 'Acme Mobility' },
      user: { email: 'root@example.test' },
    })
    t.equal(others.length, 0)
    t.equal(answers.filter(({ status, body }) => status === 409 && body.code === 'already-bootstrapped').length, 15)
    t.strictSame(await isInitialised(), { initialised: true })
    const other = { company: { name: 'Other' }, user: { ...input.user, email: 'other@example.test' } }
    t.match(await post({ payload: other }), { status: 409, body: { code: 'already-bootstrapped' } })
  })
  await t.test('makes one person who runs the platform and administers the company', async t => {
    t.strictSame(
      (await members()).map(row => ({ ...row })),
      [
        { slug: 'acme-mobility', roles: ['admin'], staff: true },
        { slug: 'platform', roles: ['super_admin'], staff: true },
      ],
    )
  })
})

t.test('bootstrap behind a proxy trusts no address, and without a token nobody from elsewhere', async t => {
  const { post, deps, input, isInitialised } = await freshApp(t, { token: undefined, isLoopbackTrusted: false })
  t.match(await post(), { status: 401, body: { code: 'setup-token-invalid' } })
  t.match(await post({ headers: { authorization: 'Bearer undefined' } }), { status: 401 })
  const request = { id: '00000000-0000-7000-8000-000000000000', ip: '127.0.0.1' }
  await t.test('while a program that runs in the same process does it by hand', async t => {
    const made = await bootstrapInstallation(deps, { ...input, company: { name: 'Acme', slug: 'demo' } }, request)
    t.equal(made.company.slug, 'demo')
    t.strictSame(await isInitialised(), { initialised: true })
    await t.rejects(bootstrapInstallation(deps, input, request), { code: 'already-bootstrapped' })
  })
})

t.test('the program serves on a real socket with keys from the issuer, and stops', async t => {
  const { db, superUrl } = await testDatabase(t)
  const keyServer = createServer((_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(issuer.jwks))
  }).listen(0, '127.0.0.1')
  await once(keyServer, 'listening')
  t.teardown(() => keyServer.close())
  const { port } = keyServer.address() as AddressInfo
  const program = await startAdminApi({
    database: db,
    environment: 'test',
    host: '127.0.0.1',
    port: 0,
    issuer: issuer.issuer,
    audience: issuer.audience,
    keysUri: `http://127.0.0.1:${port}/.well-known/jwks.json`,
    keysFolder: t.testdir(),
    passwordMinLength: 12,
    addresses: { iam: 'http://localhost:4000', admin: 'http://localhost:4001', places: 'http://localhost:4002' },
    serviceKeys: [],
    sendsEvents: false,
    setupToken: 'never shown',
    workerCount: 1,
    storage: { by: 'file', folder: t.testdir() },
    maxImageMegabytes: 5,
    serviceUrls: {},
    allowedOrigins: ['https://app.example.org'],
    trustProxy: [],
    ...compatSettings,
    logger: testLogger(loggerOptions('trace', 'json', 'admin-api'), 'admin-api'),
  })
  t.teardown(() => program.stop())
  const cast = createTestCast(db, issuer)
  const staff = await cast.addActor(await cast.addPlatform(), { roles: ['super_admin'] })
  const get = async (path: string, headers = {}) => {
    const answer = await fetch(`${program.url}${path}`, { headers })
    return { status: answer.status, text: await answer.text() }
  }
  t.match(await get('/readyz'), { status: 200, text: /"keys":"ok"/ })
  const preflight = await program.app.inject({
    method: 'OPTIONS',
    url: '/admin/v1/users',
    headers: { origin: 'https://app.example.org', 'access-control-request-method': 'POST' },
  })
  t.match(preflight, { statusCode: 204, headers: { 'access-control-allow-origin': 'https://app.example.org' } })
  t.match(await get('/health'), { status: 200, text: /^{"status":"healthy",.*"database":{"healthy":true,/ })
  t.match(await get('/docs/'), { status: 200 })
  t.match(await get('/openapi.json'), { status: 200, text: /"openapi":"3\.1\.0"/ })
  t.match(await get('/admin/v1/nothing'), { status: 404, text: /route-not-found/ })
  const shown = await get('/config', staff.headers)
  t.match(JSON.parse(shown.text), { environment: 'test', password_min_length: 12, has_setup_token: true })
  t.notMatch(shown.text, /never shown|postgres:/)

  await t.test('and says 503 while the database is away', async t => {
    const { pathname } = new URL(superUrl)
    const name = pathname.slice(1)
    const elsewhere = new URL(superUrl)
    elsewhere.pathname = '/postgres'
    const away = (isAway: boolean) =>
      withAdminClient(elsewhere.href, async sql => {
        await sql.unsafe(`alter database ${name} allow_connections ${isAway ? 'false' : 'true'}`)
        if (isAway) await sql`select pg_terminate_backend(pid) from pg_stat_activity where datname = ${name}`
      })
    await away(true)
    t.match(await get('/admin/v1/tenants', staff.headers), { status: 503, text: /database-unavailable/ })
    t.match(await get('/health'), { status: 503, text: /^{"status":"unhealthy",.*"healthy":false,/ })
    t.match(await get('/readyz'), { status: 503, text: /not-ready/ })
    t.match(await get('/livez'), { status: 200 })
    await away(false)
    t.match(await get('/admin/v1/tenants', staff.headers), { status: 200 })
  })
})

t.test('C-05 it refuses to start on settings that are wrong, naming each', async t => {
  const DATABASE_URL = 'postgres://signet@localhost/signet'
  const faultsOf = (environment: Record<string, string>) => {
    try {
      readConfig({ DATABASE_URL, ...environment })
      return []
    } catch (error) {
      if (error instanceof SettingsError) return error.faults
      throw error
    }
  }
  t.match(readConfig({ DATABASE_URL }), { ADMIN_PORT: 4001, ISSUER: 'http://localhost:4000', AUDIENCE: 'signet' })
  t.match(readConfig({ POSTGRES_URI: DATABASE_URL, PORT: '80', IAM_PORT: '8080' }), {
    DATABASE_URL,
    ADMIN_PORT: 80,
    ISSUER: 'http://localhost:8080',
  })
  for (const [environment, named] of [
    [{ DATABASE_URL: '' }, /DATABASE_URL is missing/],
    [{ DATABASE_URL: 'mysql://x' }, /DATABASE_URL has to be/],
    [{ SIGNET_ADMIN: 'x' }, /SIGNET_ADMIN is not a setting/],
    [{ SETUP_TOKE: 'x' }, /SETUP_TOKE is not a setting.*SETUP_TOKEN/],
    [{ ADMIN_PORT: '70000' }, /ADMIN_PORT/],
    [{ ADMIN_PORT: '1', PORT: '2' }, /ADMIN_PORT and PORT/],
    [{ SIGNET_ENV: 'prod' }, /SIGNET_ENV/],
    [{ SIGNET_ENV: 'production', SETUP_TOKEN: 'changeme' }, /SETUP_TOKEN can be guessed/],
    [{ SIGNET_ENV: 'staging', SETUP_TOKEN: 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa' }, /SETUP_TOKEN can be guessed/],
    [{ ISSUER: 'https://id.example.test/' }, /ISSUER/],
    [{ PASSWORD_MIN_LENGTH: '7' }, /PASSWORD_MIN_LENGTH/],
  ] as [Record<string, string>, RegExp][]) {
    t.match(faultsOf(environment), [named], JSON.stringify(environment))
  }
  t.equal(faultsOf({ ADMIN_PORT: 'x', RUN_MIGRATIONS: 'maybe', LOG_LEVEL: 'loud' }).length, 3, 'all at once')
  t.strictSame(faultsOf({ SIGNET_ENV: 'production', SETUP_TOKEN: randomBytes(24).toString('hex') }), [])

  await t.test('as a process: one message, no stack, exit code 1', async t => {
    const main = fileURLToPath(new URL('../src/main.ts', import.meta.url))
    const child = spawn(process.execPath, [main], {
      env: { DATABASE_URL, SIGNET_NONSENSE: '1', PATH: process.env['PATH'] },
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    let said = ''
    child.stderr.setEncoding('utf8').on('data', (part: string) => {
      said += part
    })
    const [exitCode] = await once(child, 'close')
    logStream('main').write(said)
    t.equal(exitCode, 1)
    t.match(said, /SIGNET_NONSENSE is not a setting of Signet/)
    t.notMatch(said, /\n\s+at /)
  })
})
