import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, cp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { connect, createServer, type Socket } from 'node:net'
import { basename, join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { runStatement } from '@signet/db'
import { newId, SettingsError } from '@signet/kernel'
import { logStream, plantSecretsOf, testDatabase } from '@signet/testkit'
import t, { type Test } from 'tap'
import { readConfig, readKeyConfig } from '../src/config.ts'
import { password, temporaryFolder } from './test-app.ts'

const database = await testDatabase(t)
const program = (name: string) => fileURLToPath(new URL(`../src/${name}`, import.meta.url))

interface Run {
  readonly code: number | null
  readonly output: string
}

interface Running {
  readonly pid: number
  readonly ended: Promise<Run>
  /** Resolves with what was printed once `pattern` is in it; rejects when the program ends before. */
  printed(pattern: RegExp): Promise<string>
  stop(): Promise<Run>
}

/** Runs a program of ours with nothing of this environment but the path to Node. */
async function run(t: Test, name: string, environment: Record<string, string>, words: string[] = []): Promise<Running> {
  const cwd = await temporaryFolder(t)
  const child = spawn(process.execPath, [program(name), ...words], {
    cwd,
    env: { PATH: process.env['PATH'], ...environment },
  })
  t.teardown(() => void child.kill('SIGKILL'))
  let output = ''
  const listeners = new Set<() => void>()
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', chunk => {
      output += String(chunk)
      for (const listener of listeners) listener()
    })
  }
  const kept = logStream(basename(name))
  const ended = new Promise<Run>(resolve =>
    child.on('close', code => {
      kept.write(output)
      resolve({ code, output })
    }),
  )
  return {
    pid: child.pid ?? 0,
    ended,
    printed: pattern =>
      new Promise((resolve, reject) => {
        const look = () => void (pattern.test(output) && resolve(output))
        listeners.add(look)
        look()
        void ended.then(() => reject(new Error(`It ended, having said: ${output}`)))
      }),
    stop: () => {
      child.kill('SIGTERM')
      return ended
    },
  }
}

async function freePort(): Promise<string> {
  const server = createServer()
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  await new Promise(resolve => server.close(resolve))
  return String(port)
}

/** False where this machine can be told. */
async function whyNoScheduling(): Promise<string | false> {
  if (process.platform !== 'linux') return 'only Linux has it'
  return promisify(execFile)('chrt', ['-b', '0', 'true']).then(
    () => false,
    () => 'chrt is missing, or may not set it',
  )
}

const strong = 'c2d1f0a9b8e7d6c5b4a3f2e1d0c9b8a7'

const faultsOf = (environment: Record<string, string>): readonly string[] => {
  try {
    readConfig({ DATABASE_URL: 'postgres://x@localhost/x', ...environment })
    return []
  } catch (error) {
    if (error instanceof SettingsError) return error.faults
    throw error
  }
}

/** A dozen programs are started, one after the other. */
t.setTimeout(240_000)

t.test('C-05 settings that are unknown, mistyped or unreadable stop the start, by name', async t => {
  const cases: [environment: Record<string, string>, fault: RegExp][] = [
    [{ SIGNET_SECRET: 'x' }, /^SIGNET_SECRET is not a setting of Signet/],
    [{ ACCES_TOKEN_TTL: '1' }, /^ACCES_TOKEN_TTL is not a setting\. Did you mean ACCESS_TOKEN_TTL\?/],
    [{ ACCESS_TOKEN_TTL: '0' }, /^ACCESS_TOKEN_TTL has to be a whole number from 1 to 86400/],
    [{ ACCESS_TOKEN_TTL: '15m' }, /^ACCESS_TOKEN_TTL/],
    [{ REFRESH_TOKEN_TTL: '99999999' }, /^REFRESH_TOKEN_TTL/],
    [{ PASSWORD_MIN_LENGTH: '4' }, /^PASSWORD_MIN_LENGTH has to be a whole number from 8/],
    [{ ISSUER: 'http://localhost:4000/' }, /^ISSUER has to be an http or https address without a trailing slash/],
    [{ SIGNET_ENV: 'prod' }, /^SIGNET_ENV has to be one of local, test, staging, production/],
    [{ SIGNET_ENV: 'local', ENV: 'production' }, /^SIGNET_ENV and ENV are the same setting with different values/],
    [{ IAM_PORT: '70000' }, /^IAM_PORT/],
    [{ RUN_MIGRATIONS: 'maybe' }, /^RUN_MIGRATIONS has to be true or false/],
    [{ DATABASE_URL: 'mysql://x' }, /^DATABASE_URL has to be an address of the form postgres:/],
    [{ LOG_LEVEL: 'loud' }, /^LOG_LEVEL/],
    [
      { ACCESS_TOKEN_CLAIM_ALIASES: 'user_id' },
      /^ACCESS_TOKEN_CLAIM_ALIASES has to be like user_id:sub,company_id:tid/,
    ],
    [
      { ACCESS_TOKEN_CLAIM_ALIASES: 'user_id:email' },
      /^ACCESS_TOKEN_CLAIM_ALIASES can repeat sub, tid, .*, not "email"/,
    ],
    [{ ACCESS_TOKEN_CLAIM_ALIASES: 'exp:auth_time' }, /^ACCESS_TOKEN_CLAIM_ALIASES cannot give the name exp/],
    [{ ACCESS_TOKEN_CLAIM_ALIASES: 'tid:sub' }, /^ACCESS_TOKEN_CLAIM_ALIASES cannot give the name tid/],
    [{ ACCESS_TOKEN_CLAIM_ALIASES: '__proto__:sub' }, /^ACCESS_TOKEN_CLAIM_ALIASES has to be like/],
    [{ ACCESS_TOKEN_CLAIM_ALIASES: 'a:sub, a:tid' }, /^ACCESS_TOKEN_CLAIM_ALIASES names a twice/],
    [{ ADMIN_EMAIL: 'a@example.com, b@example.com' }, /^ADMIN_EMAIL has to be one address like/],
    [{ ADMIN_EMAIL: 'Ada <a@example.com>' }, /^ADMIN_EMAIL has to be one address like/],
    [{ REDIS_URL: 'localhost:6379' }, /^REDIS_URL has to be an address of the form redis:/],
    [{ RATELIMIT_STORAGE_URI: 'memcached://x' }, /^RATELIMIT_STORAGE_URI has to be an address/],
    [{ COOKIE_DOMAIN: 'localhost' }, /^COOKIE_DOMAIN has to be a domain such as example\.com, not "localhost"/],
    [{ COOKIE_DOMAIN: 'https://example.com' }, /^COOKIE_DOMAIN/],
    [{ COOKIE_DOMAIN: 'example.com; Secure' }, /^COOKIE_DOMAIN/],
    [{ COOKIE_PREFIX: '__Secure-' }, /^COOKIE_PREFIX/],
    [{ CORS_ORIGINS: '*' }, /^CORS_ORIGINS has to be like https:\/\/app\.example\.com, .* not "\*"/],
    [{ CORS_ORIGINS: 'https://a.example, https://b.example/' }, /^CORS_ORIGINS .* not "https:\/\/b\.example\/"/],
    [{ CORS_ORIGINS: 'null' }, /^CORS_ORIGINS/],
    [{ COOKIE_PREFIX: '__Host-' }, /^COOKIE_PREFIX __Host- needs COOKIE_SECURE=true/],
    [
      { COOKIE_PREFIX: '__Host-', COOKIE_SECURE: 'true', COOKIE_DOMAIN: 'example.com' },
      /^COOKIE_PREFIX __Host- and COOKIE_DOMAIN exclude each other/,
    ],
    [{ SIGNET_ENV: 'production', COOKIE_SECURE: 'false' }, /^COOKIE_SECURE has to be true in production/],
    [{ SIGNET_ENV: 'staging' }, /^COOKIE_SECURE has to be true in staging/],
  ]
  for (const [environment, fault] of cases) {
    const [name = ''] = Object.keys(environment)
    t.match(faultsOf(environment), [fault], name)
  }
  t.equal(faultsOf({ ACCESS_TOKEN_TTL: 'x', IAM_PORT: 'x', SIGNET_X: '1' }).length, 3, 'all at once')
  t.same(
    faultsOf({ ADMIN_PORT: '4001', SETUP_TOKEN: 'x', PATH: '/bin', HOME: '/' }),
    [],
    'the settings of others are no mistakes',
  )
  const weak = {
    SIGNET_ENV: 'production',
    INTERNAL_SERVICE_API_KEY: `${strong},short`,
    SMS_WEBHOOK_SECRET: 'a'.repeat(30),
  }
  t.match(faultsOf(weak), [
    /^INTERNAL_SERVICE_API_KEY can be guessed: in production it needs 24 random characters\. Make one with: openssl/,
    /^SMS_WEBHOOK_SECRET can be guessed/,
  ])
  t.notMatch(faultsOf(weak).join(), /short|aaa/, 'a secret is in no message')
  t.same(faultsOf({ ...weak, SIGNET_ENV: 'local' }), [], 'at home anything will do')
  t.same(
    faultsOf({
      SIGNET_ENV: 'staging',
      COOKIE_SECURE: 'true',
      INTERNAL_SERVICE_API_KEY: `${strong},${strong.toUpperCase()}`,
    }),
    [],
  )
  const read = (environment: Record<string, string>) =>
    readConfig({ DATABASE_URL: 'postgres://x@localhost/x', ...environment })
  t.match(read({ COOKIE_PREFIX: '__host-', COOKIE_SECURE: 'yes' }), { COOKIE_PREFIX: '__Host-', COOKIE_SECURE: true })
  t.match(read({ COOKIE_DOMAIN: '.Example.com' }), { COOKIE_DOMAIN: 'example.com' })
  t.equal(read({ RATELIMIT_STORAGE_URI: 'memory://' }).REDIS_URL, undefined)
  t.equal(read({ RATELIMIT_STORAGE_URI: 'rediss://:x@cache:6380/2' }).REDIS_URL, 'rediss://:x@cache:6380/2')
  t.notMatch(faultsOf({ REDIS_URL: 'http://user:hunter2@cache' }).join(), /hunter2/)
  t.throws(() => readConfig({}), /DATABASE_URL is missing/)
  t.match(readConfig({ DATABASE_URL: 'postgres://x@localhost/x', IAM_PORT: '4444' }), {
    ISSUER: 'http://localhost:4444',
    ACCESS_TOKEN_TTL: 900,
    REFRESH_TOKEN_TTL: 432_000,
    TOKEN_PERMISSIONS_MAX_BYTES: 256,
    ACCESS_TOKEN_CLAIM_ALIASES: [],
  })
  t.strictSame(read({ ACCESS_TOKEN_CLAIM_ALIASES: 'user_id:sub, company_id:tid' }).ACCESS_TOKEN_CLAIM_ALIASES, [
    { alias: 'user_id', claim: 'sub' },
    { alias: 'company_id', claim: 'tid' },
  ])
  t.same(
    readKeyConfig({}),
    { folder: 'keys', tokenLifeMs: 1_800_000 },
    'a key is kept for the tokens of chat-auth, too',
  )
  t.equal(readKeyConfig({ COMPAT: 'none', ACCESS_TOKEN_TTL: '60' }).tokenLifeMs, 60_000)
  t.throws(() => readKeyConfig({ SIGNET_KEY: 'x' }), /SIGNET_KEY is not a setting. Did you mean SIGNET_KEYS/)
})

/** A request that is never whole. Resolves when the server has taken the connection. */
async function hang(t: Test, port: string, begun: string): Promise<Socket> {
  const socket = connect(Number(port), '127.0.0.1')
  t.teardown(() => socket.destroy())
  socket.on('error', () => undefined)
  await once(socket, 'connect')
  socket.write(begun)
  return socket
}

const withoutBody = `POST /api/v1/tokens HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n`

// All of them wait most of the time.
t.jobs = 3

t.test('several processes of the program', { timeout: 120_000, buffered: true }, async t => {
  const port = await freePort()
  // Each test has a secret of its own, and a database belongs to one secret.
  const { url } = await testDatabase(t)
  const running = await run(t, 'main.ts', {
    SIGNET_KEYS: join(await temporaryFolder(t), 'keys'),
    IAM_PORT: port,
    DATABASE_URL: url,
    LOG_FORMAT: 'json',
    WORKER_COUNT: '2',
  })
  const ask = (path: string) => fetch(`http://127.0.0.1:${port}${path}`, { headers: { connection: 'close' } })
  const processesOf = (output: string) =>
    [...output.matchAll(/"pid":(\d+),[^\n]*Server listening/g)].map(([, pid]) => Number(pid))
  // Each writes its own log, in an order of their own.
  await running.printed(/all processes listen/)
  const both = processesOf(await running.printed(/Server listening[^]*Server listening/))
  await t.test('share its port and its keys', async t => {
    t.equal(new Set(both).size, 2)
    const kids = await Promise.all(
      Array.from({ length: 8 }, async () => JSON.stringify(await (await ask('/.well-known/jwks.json')).json())),
    )
    t.equal(new Set(kids).size, 1)
  })
  await t.test('C-02 are there again when one is killed', async t => {
    process.kill(both[0] as number, 'SIGKILL')
    const output = await running.printed(/a process ended: another is started[^]*Server listening/)
    t.equal(new Set(processesOf(output)).size, 3)
    t.match(output, /"signal":"SIGKILL"/)
    t.equal((await ask('/livez')).status, 200)
  })
  await t.test('C-04 say first that they stop, serve on, and are gone within the grace, whoever hangs', async t => {
    // Each of them has to have told somebody twice that it is ready.
    for (let asked = 0; asked < 8; asked += 1) t.equal((await ask('/readyz')).status, 200)
    await hang(t, port, withoutBody)
    const stopping = running.stop()
    await running.printed(/"msg":"stopping"[^]*"msg":"stopping"[^]*"msg":"stopping"/)
    const ready = await ask('/readyz')
    const keys = await ask('/.well-known/jwks.json')
    t.equal(ready.status, 503)
    t.equal(keys.status, 200)
    t.equal(keys.headers.get('connection'), 'close')
    const { code, output } = await stopping
    t.equal(code, 0, output)
  })
})

t.test(
  'H-07 two hundred slow connections are gone in 20 s, and others are served',
  { timeout: 120_000, buffered: true },
  async t => {
    const port = await freePort()
    const { url } = await testDatabase(t)
    const running = await run(t, 'main.ts', {
      SIGNET_KEYS: join(await temporaryFolder(t), 'keys'),
      IAM_PORT: port,
      DATABASE_URL: url,
      LOG_FORMAT: 'json',
    })
    await running.printed(/Server listening/)
    const beginnings = ['', 'GET /livez HTTP/1.1\r\nhost: x\r\n', withoutBody, `${withoutBody}{"emai`]
    const began = performance.now()
    const slow = await Promise.all(
      Array.from({ length: 200 }, (_, at) => hang(t, port, beginnings[at % beginnings.length] as string)),
    )
    const gone = Promise.all(slow.map(async socket => socket.resume().closed || once(socket, 'close')))
    t.equal((await fetch(`http://127.0.0.1:${port}/.well-known/jwks.json`)).status, 200)
    await gone
    t.ok(performance.now() - began < 20_000)
    t.equal((await running.stop()).code, 0)
  },
)

t.test('the program', { timeout: 120_000, buffered: true }, async t => {
  const keys = join(await temporaryFolder(t), 'keys')
  const port = await freePort()
  const environment = { SIGNET_KEYS: keys, IAM_PORT: port, DATABASE_URL: database.url, LOG_FORMAT: 'json' }
  await t.test('C-05 says what is wrong with its settings, and no stack', async t => {
    const { code, output } = await (await run(t, 'main.ts', { ...environment, SIGNET_TYPO: '1' })).ended
    t.equal(code, 1)
    t.match(output, /These settings keep the program from starting:\n {2}- SIGNET_TYPO is not a setting/)
    t.notMatch(output, / {4}at /)
  })
  await t.test('refuses a login that passes over row-level security, in production', async t => {
    const { code, output } = await (
      await run(t, 'main.ts', {
        ...environment,
        DATABASE_URL: database.superUrl,
        SIGNET_ENV: 'production',
        COOKIE_SECURE: 'true',
      })
    ).ended
    t.equal(code, 1)
    t.match(output, /is a superuser or has BYPASSRLS/)
    t.notMatch(output, / {4}at /)
  })
  await t.test('starts, serves, makes room for the months to come, and stops', async t => {
    const running = await run(t, 'main.ts', environment)
    await running.printed(/Server listening/)
    await running.printed(/"partitions":\[.*"audit_events_\d{4}_\d\d","outbound_messages_\d{4}_\d\d"/)
    const answer = await fetch(`http://127.0.0.1:${port}/api/v1/healthcheck`)
    t.same(await answer.json(), { status: 'ok', database: 'ok' })
    const { code, output } = await running.stop()
    t.equal(code, 0, output)
    t.match(output, /"reason":"SIGTERM"/)
  })
  await t.test('lets hashes finish where the system can be told so', { skip: await whyNoScheduling() }, async t => {
    const running = await run(t, 'main.ts', environment)
    await running.printed(/Server listening/)
    // SCHED_BATCH is 3 (sched(7)); the policy is the 41st word of proc_pid_stat(5), whose second may hold blanks.
    const countOthers = async () => {
      const threads = await readdir(`/proc/${running.pid}/task`)
      const stats = await Promise.all(threads.map(id => readFile(`/proc/${running.pid}/task/${id}/stat`, 'utf8')))
      return stats.filter(stat => stat.slice(stat.lastIndexOf(')') + 2).split(' ')[38] !== '3').length
    }
    const deadline = performance.now() + 10_000
    while ((await countOthers()) > 0 && performance.now() < deadline) await pause(20)
    t.equal(await countOthers(), 0, 'threads of another policy')
    t.equal((await running.stop()).code, 0)
  })
  await t.test('K-04 refuses the keys of another installation, and says so', async t => {
    const others = join(await temporaryFolder(t), 'keys')
    const { code, output } = await (await run(t, 'main.ts', { ...environment, SIGNET_KEYS: others })).ended
    t.equal(code, 1)
    t.ok(output.includes(`${others}/secret is not the one that this database is used with`), output)
    t.match(output, /restore it from your backup/)
    t.notMatch(output, / {4}at /)
    t.same(await readdir(others), ['secret'], 'no key was made')
  })
  await t.test('brings the database forward when it is told to', async t => {
    const running = await run(t, 'main.ts', { ...environment, DATABASE_ADMIN_URL: database.adminUrl }, [
      '--migrate=true',
    ])
    await running.printed(/Server listening/)
    t.equal((await running.stop()).code, 0)
  })
  await t.test('K-04 names the key file that others can read', async t => {
    const secret = join(keys, 'secret')
    await chmod(secret, 0o644)
    const { code, output } = await (await run(t, 'main.ts', environment)).ended
    t.equal(code, 1)
    t.ok(output.includes(`chmod 600 ${secret}`), output)
    t.notMatch(output, / {4}at /)
    await chmod(secret, 0o600)
  })
  await t.test('takes up a rotation by pnpm keys without a restart', async t => {
    const running = await run(t, 'main.ts', environment)
    await running.printed(/Server listening/)
    const kids = async (): Promise<string[]> => {
      const answer = await fetch(`http://127.0.0.1:${port}/.well-known/jwks.json`)
      return ((await answer.json()) as { keys: { kid: string }[] }).keys.map(key => key.kid)
    }
    const before = await kids()
    const rotation = await (await run(t, 'main-keys.ts', { SIGNET_KEYS: keys }, ['rotate'])).ended
    t.equal(rotation.code, 0)
    t.match(rotation.output, /^Now signing with/)
    const deadline = performance.now() + 10_000
    while ((await kids()).length !== 3 && performance.now() < deadline)
      await new Promise(resolve => setImmediate(resolve))
    t.equal((await kids()).length, 3)
    t.ok(before.every(kid => rotation.output.includes(kid)))
    t.equal((await running.stop()).code, 0)
  })
  await t.test('pnpm keys says no with an exit code of its own', async t => {
    t.match(await (await run(t, 'main-keys.ts', { SIGNET_KEYS: keys }, ['remove', '~'])).ended, {
      code: 1,
      output: /There is no key ~/,
    })
    t.match(await (await run(t, 'main-keys.ts', { SIGNET_KEYS: keys }, ['rotatte'])).ended, {
      code: 2,
      output: /Usage/,
    })
    t.match(await (await run(t, 'main-keys.ts', { SIGNET_KEYS: keys, SIGNET_KEEYS: 'x' })).ended, {
      code: 1,
      output: /Did you mean SIGNET_KEYS/,
    })
    await writeFile(join(keys, 'ring-9.json'), '{', { mode: 0o600 })
    t.match(await (await run(t, 'main-keys.ts', { SIGNET_KEYS: keys })).ended, {
      code: 1,
      output: /ring-9\.json cannot be read/,
    })
  })
})

t.test(
  'after a leak of `secret`, another one is taken into use as operations.md says',
  { timeout: 120_000 },
  async t => {
    const { db, url, adminUrl } = await testDatabase(t)
    const folder = await temporaryFolder(t)
    const keys = join(folder, 'keys')
    const start = async (SIGNET_KEYS: string) => {
      const port = await freePort()
      const node = await run(t, 'main.ts', { SIGNET_KEYS, IAM_PORT: port, DATABASE_URL: url, LOG_FORMAT: 'json' })
      await node.printed(/Server listening/)
      const post = async (path: string, body: object) => {
        const answer = await fetch(`http://127.0.0.1:${port}/api/v1/${path}`, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify(body),
        })
        const said = (await answer.json()) as { refresh_token: string; code?: string }
        plantSecretsOf(said)
        return { ...said, status: answer.status }
      }
      return { stop: () => node.stop(), post }
    }
    await runStatement(
      db,
      sql => sql`select bootstrap_installation(${newId()}, ${newId()}, 'acme', 'Acme', ${newId()}, 'root@example.com', null, null,
      'none', null, null)`,
    )
    const person = { email: 'ada@example.com', password }
    const before = await start(keys)
    t.equal((await before.post('users', person)).status, 201)
    const leaked = await before.post('tokens', person)
    t.equal((await before.stop()).code, 0)

    await rm(join(keys, 'secret'))
    const refused = await (await run(t, 'main.ts', { SIGNET_KEYS: keys, DATABASE_URL: url })).ended
    t.match(refused, { code: 1, output: /is not the one that this database is used with/ })
    const migrate = '../../../packages/db/src/main-migrate.ts'
    const settled = await (await run(t, migrate, { DATABASE_ADMIN_URL: adminUrl }, ['--restored'])).ended
    t.equal(settled.code, 0, settled.output)

    const after = await start(keys)
    t.match(await after.post('tokens/refresh', { refresh_token: leaked.refresh_token }), {
      status: 401,
      code: 'invalid-refresh-token',
    })
    const tokens = await after.post('tokens', person)
    t.equal(tokens.status, 200)
    const copy = join(folder, 'copy')
    await cp(keys, copy, { recursive: true })
    const neighbour = await start(copy)
    t.equal((await neighbour.post('tokens/refresh', { refresh_token: tokens.refresh_token })).status, 200)
    for (const node of [after, neighbour]) t.equal((await node.stop()).code, 0)
  },
)
