import { inTenant, withAdminClient } from '@signet/db'
import t from 'tap'
import { linesOf, readNdjson, type Report, sendImport } from './ndjson.ts'
import { createWorld } from './world.ts'

const world = await createWorld(t)
const { admin, staff, stranger, cast, company, other, database, call } = world

const statusOf = (reports: readonly Report[]) => reports.map(({ status }) => status)
const peopleNamed = async (q: string, who = admin) => (await call(who, 'GET', `users?q=${q}&limit=200`)).body.items
const bcrypt = '$2b$10$abcdefghijklmnopqrstuuQucN6odFufQ4TIVTWgrOo4xuXNmmgDW'
const rowsOf = (id: string | undefined) =>
  inTenant(database.db, company, async ({ sql }) => ({
    credential: (
      await sql<{ hash: string; must_change: boolean }[]>`
        select hash, must_change from password_credentials where user_id = ${id ?? null}`
    )[0],
    roles: (
      await sql<{ name: string }[]>`
        select r.name from memberships m join membership_roles mr on mr.tenant_id = m.tenant_id and mr.membership_id = m.id
        join roles r on r.tenant_id = mr.tenant_id and r.id = mr.role_id where m.user_id = ${id ?? null} order by r.name`
    ).map(({ name }) => name),
    events: await sql<{ action: string; actor_id: string; after: Record<string, unknown> }[]>`
      select action, actor_id, after from audit_events where target_id = ${id ?? null}`,
  }))

t.test('a line becomes a person with all that it says', async t => {
  await cast.addRole(company, ['users:read'], 'reader')
  const { status, reports, summary } = await sendImport(world, admin, [
    {
      email: 'Full@Example.test',
      username: 'full',
      phone: '+4915112340001',
      name: 'Full Name',
      first_name: 'Full',
      last_name: 'Name',
      language: 'fr',
      password_hash: bcrypt,
      must_change: true,
      status: 'suspended',
      roles: ['reader', 'member', 'reader'],
      external_id: 'old-17',
    },
    { username: 'only.username', email: null, phone: null, roles: null },
    { phone: '+4915112340002', password: 'a quiet green harbour' },
  ])
  t.equal(status, 200)
  t.match(reports, [
    { line: 1, status: 'created', id: /^[0-9a-f-]{36}$/, external_id: 'old-17' },
    { line: 2, status: 'created' },
    { line: 3, status: 'created' },
  ])
  t.match(summary, { created: 3, would_create: 0, exists: 0, failed: 0, lines: 3 })
  const [full, byUsername, byPhone] = reports
  t.match((await call(admin, 'GET', `users/${full?.id}`)).body, {
    email: 'full@example.test',
    email_verified_at: null,
    username: 'full',
    phone: '+4915112340001',
    name: 'Full Name',
    first_name: 'Full',
    last_name: 'Name',
    language: 'fr',
    status: 'suspended',
    kind: 'user',
  })
  const rows = await rowsOf(full?.id)
  t.strictSame(rows.credential, { hash: bcrypt, must_change: true })
  t.strictSame(rows.roles, ['member', 'reader'])
  t.match(rows.events, [
    {
      action: 'user.imported',
      actor_id: admin.userId,
      after: { email: 'full@example.test', roles: ['reader'], external_id: 'old-17', status: 'suspended' },
    },
  ])
  t.notMatch(JSON.stringify(rows.events), /password|\$2b/, 'without a secret')
  t.match(await rowsOf(byUsername?.id), { credential: undefined, roles: ['member'], events: [{}] })
  const { credential } = await rowsOf(byPhone?.id)
  t.match(credential, { hash: /^\$argon2id\$v=19\$m=19456,t=2,p=1\$/, must_change: false })
  t.equal(await world.deps.hasher.verify(credential?.hash ?? '', 'a quiet green harbour'), true)
})

t.test('the same file again changes nothing and says who they are', async t => {
  const file = [
    { email: 'again@example.test', username: 'again', password: 'a quiet green harbour' },
    { username: 'again.b' },
    { phone: '+4915112340010' },
  ]
  const first = await sendImport(world, admin, file)
  t.strictSame(statusOf(first.reports), ['created', 'created', 'created'])
  const before = await rowsOf(first.reports[0]?.id)
  const second = await sendImport(world, admin, file)
  t.strictSame(
    second.reports,
    first.reports.map(report => ({ ...report, status: 'exists' })),
  )
  t.match(second.summary, { created: 0, exists: 3, failed: 0, lines: 3 })
  t.strictSame(await rowsOf(first.reports[0]?.id), before, 'not even their hash, nor an event')
  const upper = await sendImport(world, admin, [{ email: 'AGAIN@example.test' }, { username: 'AGAIN.B' }])
  t.strictSame(statusOf(upper.reports), ['exists', 'exists'], 'in any case of the letters')
})

t.test('who has an identifier of somebody else fails by it, and no one beside them', async t => {
  await cast.addPerson(other, { email: 'elsewhere@example.test' })
  const file = [
    { email: 'one@example.test', username: 'taken', phone: '+4915112340020' },
    { email: 'two@example.test', username: 'TAKEN' },
    { email: 'three@example.test', phone: '+4915112340020', username: 'taken' },
    { email: 'elsewhere@example.test', external_id: 'x' },
    { username: 'four', email: 'elsewhere@example.test' },
    { email: 'one@example.test', name: 'a second time' },
    { email: 'five@example.test' },
  ]
  const expected = (created: 'created' | 'would_create') => [
    { line: 1, status: created },
    { line: 2, status: 'failed', errors: [{ pointer: '/username', code: 'username-taken' }] },
    { line: 3, status: 'failed', errors: [{ pointer: '/username' }, { pointer: '/phone', code: 'phone-taken' }] },
    { line: 4, status: 'failed', external_id: 'x', errors: [{ pointer: '/email', code: 'email-taken' }] },
    { line: 5, status: 'failed', errors: [{ pointer: '/email', message: 'This e-mail address is in use' }] },
    { line: 6, status: 'exists' },
    { line: 7, status: created },
  ]
  const dry = await sendImport(world, admin, file, '?dry_run=true')
  t.match(dry.reports, expected('would_create'), 'a dry run says so too')
  t.match(dry.summary, { created: 0, would_create: 2, exists: 1, failed: 4, lines: 7 })
  t.equal((await peopleNamed('one@example')).length, 0, 'and has written nothing')
  const real = await sendImport(world, admin, file)
  t.match(real.reports, expected('created'))
  t.equal(real.reports[5]?.id, real.reports[0]?.id)
  const after = await sendImport(world, admin, file, '?dry_run=true')
  t.match(statusOf(after.reports), ['exists', 'failed', 'failed', 'failed', 'failed', 'exists', 'exists'])
})

t.test('a dry run remembers what it met many batches ago, and leaves nothing behind', async t => {
  const people = Array.from({ length: 1_200 }, (_, index) => ({ email: `dry-${index}@example.test` }))
  const count = () => inTenant(database.db, company, ({ sql }) => sql`select id from audit_events`)
  const before = (await count()).count
  const { reports, summary } = await sendImport(
    world,
    admin,
    [
      { username: 'dry.first', phone: '+4915112340030' },
      ...people,
      { email: 'dry-3@example.test' },
      { username: 'dry.last', phone: '+4915112340030' },
    ],
    '?dry_run=true',
  )
  t.match(summary, { would_create: 1_201, exists: 1, failed: 1 })
  t.match(reports.slice(-2), [{ status: 'exists' }, { status: 'failed', errors: [{ pointer: '/phone' }] }])
  t.equal((await peopleNamed('dry-')).length, 0)
  t.equal((await count()).count, before)
})

t.test('clients and their sub-clients come in one file, in any order', async t => {
  const file = [
    { email: 'sub1@example.test', kind: 'sub_client', client: 'Client1@example.test' },
    { email: 'client1@example.test', username: 'client1', kind: 'client' },
    { email: 'sub2@example.test', kind: 'sub_client', client: 'CLIENT1' },
    { email: 'sub3@example.test', kind: 'sub_client', client: 'nobody@example.test' },
    { email: 'sub4@example.test', kind: 'sub_client' },
    { email: 'sub5@example.test', client: 'client1' },
    { email: 'client2@example.test', kind: 'client', status: 'suspended' },
    { email: 'sub6@example.test', kind: 'sub_client', client: 'client2@example.test' },
    { email: 'sub7@example.test', kind: 'sub_client', client: 'client2@example.test', status: 'suspended' },
  ]
  const expected = (created: 'created' | 'would_create') => [
    { status: created },
    { status: created },
    { status: created },
    { status: 'failed', errors: [{ pointer: '/client', code: 'client-not-found' }] },
    { status: 'failed', errors: [{ pointer: '/client', message: 'is required for a sub-client' }] },
    { status: 'failed', errors: [{ pointer: '/client', message: 'is for a sub-client alone' }] },
    { status: created },
    { status: created === 'created' ? 'failed' : created },
    { status: created },
  ]
  t.match((await sendImport(world, admin, file, '?dry_run=true')).reports, expected('would_create'))
  const { reports } = await sendImport(world, admin, file)
  t.match(reports, expected('created'))
  t.match(reports[7], { errors: [{ pointer: '/client', code: 'client-not-active' }] })
  const parents = await inTenant(
    database.db,
    company,
    ({ sql }) => sql<{ parent_id: string }[]>`
      select parent_id from users where email in ('sub1@example.test', 'sub2@example.test')`,
  )
  t.strictSame(
    parents.map(({ parent_id }) => parent_id),
    [reports[1]?.id, reports[1]?.id],
  )
})

t.test('lines of every length and ending are read as they are', async t => {
  const file = Buffer.concat([
    Buffer.from(`\ufeff{"username":"bom"}\r\n\r\n   \n{"username":"crlf"}\r\n`),
    Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x0a]),
    Buffer.from(`{"username":"${'x'.repeat(1_000_000)}"}\n`),
    Buffer.from('{"username":"nul\u0000"}\n\u0000\n{"username":"nul\\u0000"}\n{"name":"\\ud800","username":"half"}\n'),
    Buffer.from('not json\n[]\n7\nnull\n"text"\n{}\n{"username":"last"}'),
  ])
  const { reports, summary } = await sendImport(world, admin, file)
  const messages = reports.map(({ line, status, errors }) => `${line} ${errors?.[0]?.message ?? status}`)
  t.match(messages, [
    '1 created',
    '4 created',
    '5 is not UTF-8',
    '6 is longer than 65536 bytes',
    '7 is not JSON',
    '8 is not JSON',
    /^9 must /,
    '10 must not contain NUL or half a surrogate pair',
    '11 is not JSON',
    '12 must be object',
    '13 must be object',
    '14 must be object',
    '15 must be object',
    '16 is required where there is neither username nor phone',
    '17 created',
  ])
  t.match(summary, { created: 3, failed: 12, lines: 15 })
  t.match(await sendImport(world, admin, []), { status: 200, reports: [], summary: { lines: 0 } })
})

t.test('what a line must not say is named, and stops no other', async t => {
  const refused: [object, string, RegExp][] = [
    [{ email: 'no address' }, '/email', /format/],
    [{ phone: '0151 1234' }, '/phone', /pattern/],
    [{ username: 'a@b' }, '/username', /pattern/],
    [{ username: 'ok', name: 'Bcc: all\r\n' }, '/name', /pattern/],
    [{ username: 'ok', language: 'de' }, '/language', /one of en, fr/],
    [{ username: 'ok', password_hash: 'md5' }, '/password_hash', /no hash of bcrypt/],
    [{ username: 'ok', password_hash: `pbkdf2:sha256:2147483648$s$${'ab'.repeat(32)}` }, '/password_hash', /2000000/],
    [{ username: 'ok', password_hash: bcrypt, password: 'a quiet green harbour' }, '/password', /one of them/],
    [{ username: 'ok', password: 'short' }, '/password', /at least 8/],
    [{ username: 'ok', password: 'password' }, '/password', /./],
    [{ username: 'ok', must_change: true }, '/must_change', /needs a password/],
    [{ username: 'ok', email_verified: true }, '/email_verified', /needs an e-mail/],
    [{ username: 'ok', roles: ['no such role'] }, '/roles', /no role no such role/],
    [{ username: 'ok', status: 'deleted' }, '/status', /one of active, suspended/],
  ]
  const { reports } = await sendImport(
    world,
    staff,
    refused.map(([line]) => line),
  )
  for (const [index, [line, pointer, message]] of refused.entries()) {
    t.match(reports[index], { line: index + 1, status: 'failed', errors: [{ pointer, message }] }, JSON.stringify(line))
  }
  t.equal((await peopleNamed('ok', staff)).length, 0)
})

t.test('what the database alone refuses takes nobody with it', async t => {
  await withAdminClient(
    database.superUrl,
    sql => sql`alter table users add constraint test__refuses check (name not like 'refused%')`,
  )
  const people = Array.from({ length: 40 }, (_, index) => ({
    email: `halves-${index}@example.test`,
    name: index % 13 === 5 ? 'refused' : 'taken',
  }))
  const { reports } = await sendImport(world, admin, people)
  t.strictSame(
    reports.map(({ status }) => status),
    people.map(({ name }) => (name === 'refused' ? 'failed' : 'created')),
  )
  t.match(reports[5], { errors: [{ pointer: '', message: 'cannot be stored as it is' }] })
  await withAdminClient(database.superUrl, sql => sql`alter table users drop constraint test__refuses`)
})

t.test('an export is what an import reads, without a hash', async t => {
  const [source, target] = [await cast.addTenant('source'), await cast.addTenant('target')]
  const from = await cast.addActor(source, { roles: ['admin'], email: 'from@example.test' })
  const into = await cast.addActor(target, { roles: ['admin'] })
  for (const tenant of [source, target]) await cast.addRole(tenant, [], 'clerk')
  const people = Array.from({ length: 700 }, (_, index) => ({
    username: `traveller-${index}`,
    name: `Traveller "${index}" \\ é 🦊`,
    language: index % 2 === 0 ? 'fr' : 'en',
    ...(index % 7 === 0 ? { roles: ['clerk'] } : {}),
    ...(index % 11 === 0 ? { status: 'suspended' } : {}),
    ...(index % 5 === 0 ? { password_hash: bcrypt } : {}),
  }))
  t.equal(
    (
      await sendImport(world, from, [
        { username: 'trading', kind: 'client' },
        { username: 'trading-sub', kind: 'sub_client', client: 'trading' },
        ...people,
      ])
    ).summary.created,
    702,
  )
  const exported = await call(from, 'GET', 'users/export')
  t.equal(exported.headers['content-type'], 'application/x-ndjson')
  t.notMatch(exported.text, /password|\$2b|argon2/)
  const lines = readNdjson(exported.text)
  t.equal(lines.length, 703)
  t.match(
    lines.find(line => line.username === 'trading-sub'),
    { kind: 'sub_client', client: 'trading' },
  )
  const movable = lines.filter(line => line.email !== 'from@example.test')
  const { summary, text } = await sendImport(world, into, movable)
  t.match(summary, { created: 702, failed: 0 }, text.slice(0, 300))
  const copied = readNdjson((await call(into, 'GET', 'users/export?q=travel')).text)
  const comparable = (all: Record<string, unknown>[]) =>
    all
      .map((line): Record<string, unknown> => ({ ...line, external_id: '' }))
      .toSorted((a, b) => (String(a['username']) < String(b['username']) ? -1 : 1))
  t.strictSame(comparable(copied), comparable(lines.filter(line => String(line.username).startsWith('traveller'))))
  t.match(readNdjson((await call(from, 'GET', 'users/export?username=traveller-3')).text), [
    { username: 'traveller-3' },
  ])
  t.match(await call(from, 'GET', 'users/export?limit=3'), { status: 400 })
})

t.test('T-02, T-03 a line names no tenant, and what strangers have is neither changed nor told', async t => {
  const { reports } = await sendImport(world, stranger, [
    { email: 'mine@example.test', tenant_id: company },
    { email: 'mine@example.test', tenant: 'company' },
    { email: 'mine@example.test' },
    { email: admin.email, name: 'not theirs' },
  ])
  t.match(reports, [
    { status: 'failed', errors: [{ pointer: '/tenant_id', message: 'is not a member that is known here' }] },
    { status: 'failed', errors: [{ pointer: '/tenant' }] },
    { status: 'created' },
    { status: 'failed', errors: [{ code: 'email-taken' }] },
  ])
  t.equal('id' in (reports[3] ?? {}), false, 'the id of a stranger is not told')
  const emails = readNdjson((await call(stranger, 'GET', 'users/export')).text).map(line => line.email)
  t.ok(emails.includes('mine@example.test') && !emails.includes(admin.email))
  t.equal((await peopleNamed('mine@example')).length, 0)
  t.notOk((await call(admin, 'GET', 'users/export')).text.includes('mine@example.test'))
})

t.test('two who send the same file at once make everybody once', async t => {
  const people = Array.from({ length: 300 }, (_, index) => ({ email: `race-${index}@example.test` }))
  const answers = await Promise.all(Array.from({ length: 4 }, () => sendImport(world, admin, people)))
  t.equal(
    answers.reduce((sum, { summary }) => sum + summary.created, 0),
    300,
  )
  t.ok(answers.every(({ summary }) => summary.failed === 0 && summary.created + summary.exists === 300))
  t.equal((await call(admin, 'GET', 'users?q=race-&count=true')).body.total, 300)
  t.equal(linesOf(people).split('\n').length, 301)
})
