import * as db from '@signet/db'
import { getTableColumns, is } from 'drizzle-orm'
import { PgTable } from 'drizzle-orm/pg-core'
import t from 'tap'
import { readNdjson, sendImport } from './ndjson.ts'
import { createWorld } from './world.ts'

const world = await createWorld(t)
const { admin, staff, member, cast, company, call } = world

const countOf = async (q: string) => (await call(admin, 'GET', `users?q=${q}&count=true`)).body.total

t.test('X-01 an import needs users:create, an export users:list', async t => {
  const reader = await cast.addActor(company, { permissions: ['users:list'] })
  const creator = await cast.addActor(company, { permissions: ['users:create'] })
  for (const query of ['', '?dry_run=true']) {
    t.match(await sendImport(world, member, [{ email: 'x01@example.test' }], query), { status: 403 })
    t.match(await sendImport(world, reader, [{ email: 'x01@example.test' }], query), { status: 403 })
  }
  t.match(await call(creator, 'GET', 'users/export'), { status: 403, body: { code: 'forbidden' } })
  t.match(await sendImport(world, null, [{ email: 'x01@example.test' }]), { status: 401 })
  t.equal(await countOf('x01@'), 0)
  const lines = readNdjson((await call(reader, 'GET', 'users/export')).text)
  t.ok(lines.length > 0 && lines.every(line => line.roles === undefined), 'roles are for those who may read a person')
  t.ok(readNdjson((await call(admin, 'GET', 'users/export')).text).some(line => line.roles?.includes('admin')))
})

t.test('X-02 nobody brings in more than they hold: the line fails, and the import goes on', async t => {
  await cast.addRole(company, ['users:read'], 'x02-weak')
  await cast.addRole(company, ['users:read', 'audit-events:read'], 'x02-strong')
  const clerk = await cast.addActor(company, {
    permissions: ['users:create', 'users:read', 'memberships:modify'],
  })
  const creator = await cast.addActor(company, { permissions: ['users:create', 'users:read'] })
  const file = (name: string) => [
    { email: `${name}-1@example.test`, roles: ['x02-weak', 'x02-strong'] },
    { email: `${name}-2@example.test`, roles: ['admin'] },
    { email: `${name}-3@example.test`, roles: ['x02-weak'] },
    { email: `${name}-4@example.test`, kind: 'client' },
    { email: `${name}-5@example.test` },
  ]
  for (const query of ['?dry_run=true', '']) {
    const done = query === '' ? 'created' : 'would_create'
    t.match((await sendImport(world, clerk, file('clerk'), query)).reports, [
      { errors: [{ pointer: '/roles', code: 'grant-exceeds-own', message: /audit-events:read/ }] },
      { errors: [{ pointer: '/roles', code: 'grant-exceeds-own', message: /tenants:modify/ }] },
      { status: done },
      { errors: [{ pointer: '/kind', code: 'forbidden', message: /clients:create/ }] },
      { status: done },
    ])
    t.match((await sendImport(world, creator, file('creator'), query)).reports, [
      { errors: [{ pointer: '/roles', code: 'forbidden', message: /memberships:modify/ }, {}] },
      { status: 'failed' },
      { errors: [{ pointer: '/roles', code: 'forbidden' }] },
      { status: 'failed' },
      { status: done },
    ])
  }
  t.equal(await countOf('clerk-'), 2)
  t.equal(await countOf('creator-'), 1)
})

t.test('X-02 nobody brings in whom a policy on everybody gives more than they hold themselves', async t => {
  const clerk = await cast.addActor(company, { permissions: ['users:create'] })
  const action = 'action == Action::"audit-events:list", resource);'
  const policyOf = async (name: string, source: string) =>
    (await call(admin, 'POST', 'policies', { name, source })).body.id as string
  const everybody = await policyOf('x02 everybody', `permit(principal, ${action}`)
  const withheld = await policyOf('x02 but one', `forbid(principal == ?principal, ${action}`)
  t.match((await sendImport(world, clerk, [{ email: 'x02-a@example.test' }])).reports, [{ status: 'created' }])
  t.equal((await call(admin, 'PUT', `users/${clerk.userId}/policies/${withheld}`)).status, 204)
  for (const query of ['?dry_run=true', '']) {
    t.match((await sendImport(world, clerk, [{ email: 'x02-b@example.test' }], query)).reports, [
      { status: 'failed', errors: [{ pointer: '', code: 'grant-exceeds-own', message: /audit-events:list/ }] },
    ])
  }
  t.equal((await call(admin, 'DELETE', `users/${clerk.userId}/policies/${withheld}`)).status, 204)
  for (const id of [everybody, withheld]) {
    t.equal((await call(admin, 'DELETE', `policies/${id}`, undefined, { 'if-match': '*' })).status, 204)
  }
})

t.test('X-05 a line takes no column that is not its own, whatever it is called', async t => {
  const own = (
    'email username phone name first_name last_name language kind client password_hash password must_change ' +
    'email_verified phone_verified status roles external_id'
  ).split(' ')
  const tables = Object.values(db).filter(value => is(value, PgTable))
  const columns = new Set(tables.flatMap(table => Object.values(getTableColumns(table)).map(column => column.name)))
  for (const name of ['hash', 'permissions', 'is_platform_staff', 'constructor', 'toString', '']) columns.add(name)
  const strange = [...columns].filter(name => !own.includes(name))
  t.ok(strange.length > 50 && ['id', 'tenant_id', 'version', 'parent_id'].every(name => strange.includes(name)))
  const lines = [
    ...strange.map(name => `{"email":"x05@example.test",${JSON.stringify(name)}:"x"}`),
    '{"email":"x05@example.test","__proto__":{"roles":["admin"]}}',
  ]
  const { reports } = await sendImport(world, staff, lines)
  for (const [index, report] of reports.entries()) {
    t.match(
      report,
      { status: 'failed', errors: [{ message: 'is not a member that is known here' }] },
      lines[index] ?? '',
    )
  }
  t.equal(await countOf('x05@'), 0)
})

t.test('X-07 that an address is verified only the platform can say', async t => {
  const lines = [
    { email: 'x07-1@example.test', email_verified: true },
    { phone: '+4915112349001', phone_verified: true, username: 'x07.2' },
    { email: 'x07-3@example.test', email_verified: false },
  ]
  t.match((await sendImport(world, admin, lines)).reports, [
    { errors: [{ pointer: '/email_verified', code: 'forbidden', message: /platform staff/ }] },
    { errors: [{ pointer: '/phone_verified', code: 'forbidden' }] },
    { status: 'created' },
  ])
  const visiting = await cast.signIn(staff, company)
  t.match((await sendImport(world, visiting, lines)).reports, [
    { status: 'created' },
    { status: 'created' },
    { status: 'exists' },
  ])
  const found = (await call(admin, 'GET', 'users?q=x07')).body.items
  const verified = found.map((user: Record<string, unknown>) => [
    user['email_verified_at'] !== null,
    user['phone_verified_at'] !== null,
  ])
  t.same(verified.toSorted(), [
    [false, false],
    [false, true],
    [true, false],
  ])
})

t.test('X-08 a client brings sub-clients of its own, and hears of no other client', async t => {
  const permissions = ['users:create', 'clients:create', 'sub-clients:create']
  const client = await cast.addActor(company, { kind: 'client', permissions })
  const rival = await cast.addPerson(company, { kind: 'client' })
  const lines = [
    { username: 'x08.1', kind: 'sub_client', client: client.email },
    { username: 'x08.2', kind: 'sub_client', client: rival.email },
    { username: 'x08.3', kind: 'sub_client', client: 'nobody@example.test' },
    { username: 'x08.4', kind: 'client' },
  ]
  for (const query of ['?dry_run=true', '']) {
    const { reports } = await sendImport(world, client, lines, query)
    t.match(
      reports.map(({ status }) => status),
      [query === '' ? 'created' : 'would_create', 'failed', 'failed', 'failed'],
    )
    t.strictSame(reports[1]?.errors, reports[2]?.errors, 'as if it were not there')
    t.match(reports[3]?.errors, [{ pointer: '/kind', code: 'forbidden' }])
  }
})

t.test('I-02 hostile texts are stored as they are or refused, and come out again the same', async t => {
  const hostile = [
    `'; drop table users; --`,
    `"}\u2028\u2029{"`,
    '<script>alert(1)</script>',
    '\u202egnp.exe',
    '${7*7}{{7*7}}%s%n',
    '../../etc/passwd',
    'İSTANBUL ﬀ 🦊 e\u0301',
    '\\\\N \\. \\x00',
    'a\tb',
    '=cmd|calc',
  ]
  const lines = hostile.map((name, index) => ({ username: `i02.${index}`, name, external_id: name }))
  const { reports, summary } = await sendImport(world, admin, lines)
  t.equal(summary.created + summary.failed, hostile.length)
  t.ok(summary.created >= hostile.length - 2)
  const exported = readNdjson((await call(admin, 'GET', 'users/export?q=i02.')).text)
  for (const [index, { status, external_id }] of reports.entries()) {
    const name = hostile[index]
    if (status === 'failed') continue
    t.equal(external_id, name)
    t.equal(exported.find(line => line.username === `i02.${index}`)?.name, name)
  }
})

t.test('I-03 no other content type is read, and this one nowhere else', async t => {
  const line = '{"email":"i03@example.test"}\n'
  for (const type of ['application/json', 'text/plain', 'application/x-ndjson-seq', 'application/ndjson', 'text/csv']) {
    const answer = await call(admin, 'POST', 'users/import', line, { 'content-type': type })
    t.match(answer, { status: 415, body: { code: 'unsupported-media-type' } }, type)
  }
  const elsewhere = await call(admin, 'POST', 'users', line, { 'content-type': 'application/x-ndjson' })
  t.match(elsewhere, { status: 415 })
  t.match(await call(admin, 'POST', 'users/import?dry_run=perhaps', line, { 'content-type': 'application/x-ndjson' }), {
    status: 400,
    body: { code: 'invalid-input', errors: [{ pointer: '?dry_run' }] },
  })
})
