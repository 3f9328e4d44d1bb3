/** Behind PgBouncer in transaction mode, where every transaction may be on another connection. */
import { spawn, spawnSync } from 'node:child_process'
import { chmod, chown, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { connect, createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inTenant, openDatabase } from '@signet/db'
import t, { type Test } from 'tap'
import { buildApp } from '../src/app.ts'
import { password, testApp } from './test-app.ts'

process.env['PATH'] = `${process.env['PATH']}:/usr/sbin`
const isAbsent =
  spawnSync('pgbouncer', ['--version']).error === undefined ? false : 'there is no pgbouncer on this machine'
/** It refuses to run as root. */
const nobody = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {}

const freePort = () =>
  new Promise<number>(resolve => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as AddressInfo
      probe.close(() => resolve(port))
    })
  })

/** Two connections to the server for as many clients as come. @returns the address of the same database through it */
async function poolBefore(t: Test, direct: string): Promise<URL> {
  const server = new URL(direct)
  const port = await freePort()
  const folder = await mkdtemp(join(tmpdir(), 'signet-pgbouncer-'))
  const users = join(folder, 'users')
  await writeFile(users, `"${server.username}" "${server.password}"\n`, { mode: 0o600 })
  await writeFile(
    join(folder, 'pgbouncer.ini'),
    [
      '[databases]',
      `* = host=${server.hostname} port=${server.port}`,
      '[pgbouncer]',
      'listen_addr = 127.0.0.1',
      `listen_port = ${port}`,
      'unix_socket_dir =',
      'auth_type = scram-sha-256',
      `auth_file = ${users}`,
      'pool_mode = transaction',
      'default_pool_size = 2',
      'max_client_conn = 100',
    ].join('\n'),
  )
  await chmod(folder, 0o755)
  if (nobody.uid !== undefined) await chown(users, nobody.uid, nobody.gid)
  const pooler = spawn('pgbouncer', [join(folder, 'pgbouncer.ini')], { stdio: 'ignore', ...nobody })
  t.teardown(async () => {
    pooler.kill('SIGTERM')
    await rm(folder, { recursive: true })
  })
  const answers = () =>
    new Promise<boolean>(resolve => {
      const socket = connect(port, '127.0.0.1', () => resolve(true)).on('error', () => resolve(false))
      socket.on('connect', () => socket.destroy())
    })
  while (!(await answers())) if (pooler.exitCode !== null) throw new Error('pgbouncer did not start')
  server.port = String(port)
  return server
}

t.test('the issuer behind a pooler', { skip: isAbsent }, async t => {
  const direct = await testApp(t)
  const { deps, database, company } = direct
  const pooler = await poolBefore(t, database.url)
  const pooled = openDatabase({ url: `${pooler.href}?prepare=false`, directUrl: database.url })
  const app = await buildApp({ ...deps, database: pooled, logger: false, trustProxy: [] })
  t.teardown(async () => {
    await app.close()
    await pooled.close()
  })
  const send = async (method: 'GET' | 'POST' | 'DELETE', url: string, body?: object, token?: string) => {
    const headers = token === undefined ? {} : { authorization: `Bearer ${token}` }
    const answer = await app.inject({ method, url, headers, ...(body === undefined ? {} : { payload: body }) })
    return { status: answer.statusCode, body: answer.body === '' ? undefined : answer.json() }
  }

  await t.test('says what a pooler needs that has forgotten a statement', async t => {
    const forgotten = inTenant(pooled, company, ({ sql }) => sql.unsafe('execute a_statement_of_another_connection'))
    await t.rejects(forgotten, { code: 'database-unavailable', cause: { message: /add \?prepare=false to it/ } })
  })
  const people = Array.from({ length: 12 }, (_, index) => `pooled-${index}@example.com`)

  await t.test('registers, signs in, refreshes and signs out many at once', async t => {
    await Promise.all(
      people.map(async email => {
        t.equal((await send('POST', '/api/v1/users', { email, password })).status, 201)
        const signedIn = await send('POST', '/api/v1/tokens', { email, password })
        t.equal(signedIn.status, 200, JSON.stringify(signedIn.body))
        const refreshed = await send('POST', '/api/v1/tokens/refresh', { refresh_token: signedIn.body.refresh_token })
        t.equal(refreshed.status, 200)
        const me = await send('GET', '/api/v1/me', undefined, refreshed.body.access_token)
        t.match(me.body, { email, tenant: { id: company } })
        t.equal((await send('DELETE', '/api/v1/sessions', undefined, refreshed.body.access_token)).status, 204)
        const revoke = { refresh_token: refreshed.body.refresh_token }
        t.equal((await send('POST', '/api/v1/tokens/revoke', revoke)).status, 204)
        t.equal((await send('POST', '/api/v1/tokens/refresh', revoke)).status, 401)
      }),
    )
  })
  await t.test('spends a code once', async t => {
    t.equal((await send('POST', '/api/v1/otp/requests', { email: people[0] })).status, 202)
    const code = await direct.codeFor(people[0] as string)
    const answers = await Promise.all(
      Array.from({ length: 8 }, () => send('POST', '/api/v1/otp/verifications', { email: people[0], code })),
    )
    t.same(
      answers.map(({ status }) => status).toSorted((a, b) => a - b),
      [200, ...Array.from({ length: 7 }, () => 400)],
    )
  })
  await t.test('hears of ended sessions on a connection of its own', async t => {
    const { body } = await send('POST', '/api/v1/tokens', { email: people[1], password })
    const address = await app.listen({ host: '127.0.0.1', port: 0 })
    const events = await fetch(`${address}/verifier/events`)
    await send('POST', '/api/v1/tokens/revoke', { refresh_token: body.refresh_token })
    let heard = ''
    for await (const chunk of events.body as ReadableStream<Uint8Array>) {
      heard += new TextDecoder().decode(chunk)
      if (heard.includes('event: revoked')) break
    }
    t.match(heard, /event: revoked/)
  })
})
