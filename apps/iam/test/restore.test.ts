/** The drill of docs/backup.md: a backup is made, life goes on, and the backup is put in the place of what is lost. */
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { openDatabase, withAdminClient } from '@signet/db'
import { type App, loggerOptions } from '@signet/http'
import { testLogger } from '@signet/testkit'
import { AuthError, createVerifier } from '@signet/verifier'
import t from 'tap'
import { buildApp } from '../src/app.ts'
import { audience, issuer, password, testApp, type Tokens } from './test-app.ts'

t.setTimeout(240_000)
const execute = promisify(execFile)
const serviceKey = 'the-key-of-the-operator-0123456789'
const a = await testApp(t, { deps: { serviceKeys: [serviceKey] } })
const backupUrl = at(a.database.superUrl, `${nameOf(a.database.url)}_backup`)
t.teardown(() => withAdminClient(a.database.superUrl, sql => sql`drop database ${sql(nameOf(backupUrl))} with (force)`))

/** Which of the two a service reaches. */
let serving: App = a.app
const post = async (path: string, payload: object) => {
  const answer = await serving.inject({ method: 'POST', url: path, payload })
  return { status: answer.statusCode, body: answer.body === '' ? undefined : answer.json() }
}
const refresh = (tokens: Tokens) => post('/api/v1/tokens/refresh', { refresh_token: tokens.refresh_token })
const spend = (email: string, code: string) => post('/api/v1/otp/verifications', { email, code })
const payloadOf = (jws: string) => JSON.parse(Buffer.from(jws.split('.')[1] ?? '', 'base64url').toString())
const listOf = (tokens: Tokens): string => payloadOf(tokens.access_token).status.status_list.uri
const versionOf = (bundle: string): number => payloadOf(bundle).version

/** A service that runs all the time. Its hours pass when it is told so. */
let aheadMs = 0
const bundleVersions: number[] = []
const stale: string[] = []
const verifier = createVerifier({
  issuer,
  audience,
  serviceKey,
  cache: false,
  revocation: { mode: 'poll' },
  now: () => Date.now() + aheadMs,
  on: { stale: what => void stale.push(what) },
  keys: {
    fetch: async (input, init) => {
      const request = new Request(input, init)
      const { pathname } = new URL(request.url)
      const answer = await serving.inject({ url: pathname, headers: Object.fromEntries(request.headers) })
      if (pathname.startsWith('/bundles/') && answer.statusCode === 200) bundleVersions.push(versionOf(answer.body))
      return new Response(answer.statusCode === 304 ? null : answer.rawPayload, {
        status: answer.statusCode,
        headers: answer.headers as Record<string, string>,
      })
    },
  },
})
t.teardown(() => verifier.close())
const knowsKeys = createVerifier({ issuer, audience, keys: { jwks: a.signingKeys.keySet() } })
const reasonOf = (tokens: Tokens) =>
  verifier.verify(tokens.access_token).then(
    () => 'good',
    (error: unknown) => (error instanceof AuthError ? error.reason : String(error)),
  )

function nameOf(url: string): string {
  return new URL(url).pathname.slice(1)
}

function at(url: string, database: string): string {
  return Object.assign(new URL(url), { pathname: `/${database}` }).href
}

/** By pg_dump and pg_restore where this machine has those of the server; else by the server's own copy of the files. */
async function restoreCopy(): Promise<string> {
  const [source, copy] = [a.database.superUrl, backupUrl]
  const major = await withAdminClient(source, async sql => {
    const [row] = await sql<[{ major: number }]>`select current_setting('server_version_num')::int / 10000 as major`
    return row.major
  })
  const found = await execute('pg_dump', ['--version']).catch(() => ({ stdout: '' }))
  if (Number(/ (\d+)/.exec(found.stdout)?.[1] ?? 0) >= major) {
    const file = join(a.keysFolder, '..', 'backup')
    await execute('pg_dump', ['--format=custom', `--file=${file}`, source])
    await withAdminClient(source, sql => sql`create database ${sql(nameOf(copy))}`)
    await execute('pg_restore', ['--exit-on-error', `--dbname=${copy}`, file])
    return 'pg_dump and pg_restore'
  }
  const name = nameOf(source)
  await withAdminClient(at(source, 'postgres'), async sql => {
    await sql`alter database ${sql(name)} with allow_connections false`
    await sql`select pg_terminate_backend(pid, 5000) from pg_stat_activity where datname = ${name}`
    await sql`create database ${sql(nameOf(copy))} template ${sql(name)}`
    await sql`alter database ${sql(name)} with allow_connections true`
    await sql`alter database ${sql(nameOf(copy))} with allow_connections true`
  })
  return 'a copy of the files'
}

t.test('after the restore of a backup', async t => {
  for (const name of ['ada', 'bob', 'carl', 'dan']) await a.register({ email: `${name}@example.com` })
  const spent = await a.signIn('ada@example.com')
  const held: Tokens = (await refresh(spent)).body
  const other = await a.signIn('ada@example.com')
  await post('/api/v1/otp/requests', { email: 'bob@example.com' })
  const usedCode = await a.codeFor('bob@example.com')
  t.equal((await spend('bob@example.com', usedCode)).status, 200)
  await post('/api/v1/otp/requests', { email: 'carl@example.com' })
  const openCode = await a.codeFor('carl@example.com')

  t.comment(await restoreCopy())

  // What the backup does not know: a session that ended, a code that was used, a session that was begun, roles that changed.
  t.equal((await post('/api/v1/tokens/revoke', { refresh_token: other.refresh_token })).status, 204)
  t.equal((await spend('carl@example.com', openCode)).status, 200)
  const later = await a.signIn('dan@example.com')
  await a.asOwner(async sql => {
    for (const name of ['one', 'two', 'three'])
      await sql`insert into roles (tenant_id, id, name) values (${a.company}, new_id(), ${name})`
  })
  t.equal(await reasonOf(other), 'revoked')
  t.equal(await reasonOf(later), 'good')
  // Whoever asks for reasons is given bundles from then on.
  const principal = await verifier.verify(later.access_token)
  principal.explain('places:read')
  t.equal(await reasonOf(later), 'good')
  t.equal(bundleVersions.length, 1)

  const main = fileURLToPath(new URL('../../../packages/db/src/main-migrate.ts', import.meta.url))
  const settle = () =>
    execute(process.execPath, [main, '--restored'], {
      env: {
        PATH: process.env['PATH'],
        DATABASE_ADMIN_URL: backupUrl,
        DATABASE_URL: at(a.database.url, nameOf(backupUrl)),
      },
    })
  const { stdout } = await settle()
  t.match(stdout, /Settled: 3 sessions, 1 codes and 0 client tokens of the backup are over/)
  const database = openDatabase({ url: at(a.database.url, nameOf(backupUrl)), applicationName: 'restored' })
  const logger = testLogger(loggerOptions('trace', 'json', 'iam'), 'iam-restored')
  serving = await buildApp({ ...a.deps, database, logger, trustProxy: [] })
  t.teardown(async () => {
    await serving.close()
    await database.close()
  })

  await t.test('nobody comes in with what had been used or ended, before the backup or since', async t => {
    for (const tokens of [spent, held, other])
      t.match(await refresh(tokens), { status: 401, body: { code: 'session-ended' } })
    t.match(await refresh(later), { status: 401, body: { code: 'invalid-refresh-token' } })
    for (const [email, code] of [
      ['bob@example.com', usedCode],
      ['carl@example.com', openCode],
    ] as const)
      t.match(await spend(email, code), { status: 400, body: { code: 'invalid-code' } })
  })

  await t.test(
    'tokens verify with the same keys, and services hear within a minute that their sessions are over',
    async t => {
      t.equal((await knowsKeys.verify(held.access_token)).claims.aud, audience)
      aheadMs = 61_000
      t.equal(await reasonOf(held), 'revoked')
      t.equal(await reasonOf(other), 'revoked', 'what was revoked stays so')
      t.equal(await reasonOf(later), 'good', 'a session that nobody knows: until its token expires')
    },
  )

  await t.test('whoever signs in is known to services that held the newer lists and bundles', async t => {
    const answer = await post('/api/v1/tokens', { identifier: 'ada@example.com', password })
    t.equal(answer.status, 200)
    t.notOk([spent, held, other, later].map(listOf).includes(listOf(answer.body)), 'a list nobody has heard of')
    t.equal(await reasonOf(answer.body), 'good')
    const [heldVersion = 0, version = 0] = bundleVersions
    t.ok(version > heldVersion, `${version} after ${heldVersion}`)
    t.same(stale, [], 'the service has taken what it was given')
  })

  await t.test('settling once more ends what was begun since, and nothing else', async t => {
    t.match((await settle()).stdout, /Settled: 1 sessions, 0 codes/)
  })
})
