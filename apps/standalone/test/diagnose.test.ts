import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer as createHttpServer } from 'node:http'
import { type AddressInfo, createServer } from 'node:net'
import { fileURLToPath } from 'node:url'
import { withAdminClient } from '@signet/db'
import { readSecretFiles } from '@signet/kernel'
import { testDatabase } from '@signet/testkit'
import t, { type Test } from 'tap'
import { judgeDatabase } from '../src/diagnose/database.ts'
import { diagnose, render } from '../src/diagnose/diagnose.ts'
import { diagnoseDisk, diagnoseNode } from '../src/diagnose/machine.ts'
import { readConfig } from '../src/config.ts'
import { createHome } from '../src/demo/child.ts'

const home = await createHome()
t.teardown(() => home.remove())
const { url, superUrl } = await testDatabase(t)
const well = { ...home.environment, DATABASE_URL: url }
const change = (statement: string) => withAdminClient(superUrl, sql => sql.unsafe(statement))

/** The lines of one check in an installation with these settings. */
async function linesOf(check: string, more: Readonly<Record<string, string>> = {}): Promise<string> {
  const findings = await diagnose(() => ({ ...well, ...more }))
  return render(findings.filter(finding => finding.check === check))
}

async function listen(t: Test, server: ReturnType<typeof createServer>): Promise<number> {
  await once(server.listen(0, '127.0.0.1'), 'listening')
  t.teardown(() => server.close())
  return (server.address() as AddressInfo).port
}

t.test('pnpm diagnose', async t => {
  await t.test('finds nothing that fails where all is well', async t => {
    const findings = await diagnose(() => well)
    const text = render(findings)
    t.notMatch(text, /^FAIL/m)
    for (const check of [
      'node',
      'settings',
      'database',
      'postgresql',
      'clock',
      'migrations',
      'tenants',
      'outbox',
      'disk',
    ])
      t.match(text, new RegExp(`^ok +${check} `, 'm'))
    t.notMatch(text, new URL(url).password, 'and tells no secret')
    t.ok(findings.every(({ state, remedy }) => (state === 'ok') === (remedy === undefined)))
  })

  await t.test('names every setting that is wrong', async t => {
    const findings = await diagnose(() => ({ SIGNET_HOEM: 'x', EMAIL_TRANSPORT: 'pigeon' }))
    const faults = findings.filter(({ check }) => check === 'settings')
    t.match(faults, [
      { state: 'FAIL', says: /^EMAIL_TRANSPORT has to be/ },
      { state: 'FAIL', says: /Did you mean SIGNET_HOME\?/ },
    ])
    const missing = await diagnose(() => readSecretFiles({ DATABASE_URL_FILE: '/nowhere' }, () => ''))
    t.match(missing.at(-1), { check: 'settings', state: 'FAIL', says: /DATABASE_URL_FILE/ })
  })

  await t.test('sees a database that does not answer, and does not tell its password', async t => {
    const line = await linesOf('database', { DATABASE_URL: 'postgres://x:hunter2@127.0.0.1:9/x' })
    t.match(line, /^FAIL +database +does not answer at 127\.0\.0\.1:9\/x: .*ECONNREFUSED.*\. Start it, or correct/)
    t.notMatch(line, /hunter2/)
    const wrong = new URL(url)
    wrong.password = 'hunter2'
    // A server that trusts everybody looks for the database at once.
    wrong.pathname = '/nobody_made_it'
    const refusal = await linesOf('database', { DATABASE_URL: wrong.href })
    t.match(refusal, /^FAIL .*(password authentication failed|does not exist)/)
    t.notMatch(refusal, /hunter2/)
  })

  await t.test('sees a database that lacks migrations', async t => {
    await change('create table kept as select * from schema_migrations where version < 3')
    await change('delete from schema_migrations where version < 3')
    t.match(await linesOf('migrations'), /^FAIL +migrations +2 of \d+ are not applied\. Run: pnpm migrate/)
    await change('insert into schema_migrations select * from kept; drop table kept')
  })

  await t.test('sees a table that does not keep tenants apart', async t => {
    await change('alter table users no force row level security')
    t.match(await linesOf('tenants'), /^FAIL +tenants +.*users has no FORCE/)
    await change('alter table users force row level security')
  })

  await t.test('sees a login that passes over all that, in production', async t => {
    const served = { SIGNET_ENV: 'production', COOKIE_SECURE: 'true', DATABASE_URL: superUrl }
    t.match(await linesOf('tenants', served), /^FAIL +tenants +The login \S+ is a superuser/)
    t.match(await linesOf('mail', served), /^warning +mail/)
  })

  await t.test('judges how old a server is and how far its clock is off', async t => {
    const facts = { version: 150_004, clockAheadMs: 20, applied: 34, needed: 34 }
    t.same(
      judgeDatabase(facts).map(({ state }) => state),
      ['ok', 'ok', 'ok'],
    )
    const stateOf = (more: Partial<typeof facts>) => render(judgeDatabase({ ...facts, ...more }))
    t.match(stateOf({ version: 140_012 }), /^FAIL +postgresql +14\.12 is too old/m)
    t.match(stateOf({ clockAheadMs: -4_000 }), /^warning +clock +the database's is 4\.0 s behind ours/m)
    t.match(stateOf({ clockAheadMs: 31_000 }), /^FAIL +clock +the database's is 31\.0 s ahead of ours/m)
    t.match(render(judgeDatabase({ ...facts, applied: undefined })), /^FAIL +migrations +this login may not see them/m)
  })

  await t.test('sees messages that wait for long, and that were given up', async t => {
    await change(`
      insert into tenants (id, slug, name) values ('0199a3c4-7d2e-7b61-9f0a-3c5d8e1f2a4b', 'acme', 'Acme');
      insert into outbound_messages (tenant_id, id, channel, recipient, template, status, created_at)
      select '0199a3c4-7d2e-7b61-9f0a-3c5d8e1f2a4b', gen_random_uuid(), 'email', 'ada@example.com', 'sign-in-code', status,
        now() - interval '1 hour' from unnest(array['queued', 'dead', 'dead']) as status`)
    const lines = await linesOf('outbox')
    t.match(lines, /^warning +outbox +1 wait, the oldest for 36\d\d s\. See why: pnpm outbox list --queued/m)
    t.match(lines, /^warning +outbox +2 were given up\. See why: pnpm outbox list --dead/m)
  })

  await t.test('sees Redis and a mail server that are away, and tells neither password', async t => {
    const redis = await linesOf('redis', { REDIS_URL: 'redis://:hunter2@127.0.0.1:9' })
    t.match(redis, /^warning +redis +does not answer: .*ECONNREFUSED/)
    const server = { MAIL_SERVER: '127.0.0.1', MAIL_PORT: '9', MAIL_USERNAME: 'signet', MAIL_PASSWORD: 'hunter2' }
    const mail = await linesOf('mail', { EMAIL_TRANSPORT: 'smtp', SENDER_EMAIL: 'signet@example.com', ...server })
    t.match(mail, /^FAIL +mail +127\.0\.0\.1:9 does not take us: SMTP (ECONNECTION|ESOCKET)/)
    t.notMatch(redis + mail, /hunter2/)
  })

  await t.test('sees a port that somebody else holds', async t => {
    const port = await listen(
      t,
      createServer(socket => socket.destroy()),
    )
    t.match(await linesOf('port', { PLACES_PORT: String(port) }), /^FAIL +port +PLACES_PORT \d+ cannot be had/m)
  })

  await t.test('asks the issuer for its name, letter by letter', async t => {
    let said = '{}'
    const port = await listen(
      t,
      createHttpServer((_request, response) => response.end(said)),
    )
    const ISSUER = `http://127.0.0.1:${port}`
    said = JSON.stringify({ issuer: ISSUER })
    t.match(await linesOf('issuer', { ISSUER }), /^ok +issuer/)
    said = JSON.stringify({ issuer: `${ISSUER}/` })
    t.match(await linesOf('issuer', { ISSUER }), /^FAIL +issuer +http\S+ says of itself http\S+\/\. Set ISSUER/)
    said = '<html>\u001b[2J'
    t.match(await linesOf('issuer', { ISSUER }), /^FAIL +issuer .* what is no metadata/)
  })

  await t.test('sees a disk that is nearly full, and a Node that is too old', async t => {
    const config = readConfig(well)
    for (const [bytes, state] of [
      [2 ** 31, 'ok'],
      [2 ** 29, 'warning'],
      [2 ** 20, 'FAIL'],
    ] as const)
      t.equal((await diagnoseDisk(config, async () => bytes)).state, state)
    t.equal(diagnoseNode('20.19.0').state, 'FAIL')
    t.equal(diagnoseNode('22.18.0').state, 'FAIL')
    t.equal(diagnoseNode('22.19.0').state, 'ok')
  })

  await t.test('is a command that says by its exit code whether something fails', async t => {
    const main = fileURLToPath(new URL('../src/main-diagnose.ts', import.meta.url))
    const run = async (more: Readonly<Record<string, string>>, ...words: readonly string[]) => {
      const env = { PATH: process.env['PATH'], ...well, ...more }
      const child = spawn(process.execPath, [main, ...words], { cwd: home.folder, env, stdio: 'pipe' })
      let output = ''
      for (const stream of [child.stdout, child.stderr])
        stream.setEncoding('utf8').on('data', (text: string) => {
          output += text
        })
      const [code] = await once(child, 'close')
      return { code: code as number, output }
    }
    const [fine, faulty, help, mistyped] = await Promise.all([
      run({}),
      run({ IAM_PORT: 'http' }, '--json'),
      run({}, '--help'),
      run({}, '--jsn'),
    ])
    t.match(fine, { code: 0, output: /^ok +node .*\n(ok|warning) / })
    t.equal(faulty.code, 1)
    t.match(JSON.parse(faulty.output), [{ check: 'node' }, { check: 'settings', state: 'FAIL', says: /IAM_PORT/ }])
    t.match(help, { code: 0, output: /Usage: pnpm diagnose/ })
    t.match(mistyped, { code: 2, output: /--jsn/ })
  })
})
