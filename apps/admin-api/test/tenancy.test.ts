import { randomBytes, randomUUID } from 'node:crypto'
import { inTenant, runStatement, withAdminClient } from '@signet/db'
import { loggerOptions } from '@signet/http'
import { newId, type TenantId } from '@signet/kernel'
import { type TestActor, testDatabase, testLogger } from '@signet/testkit'
import t from 'tap'
import { startAdminApi } from '../src/index.ts'
import { compatSettings, createWorld } from './world.ts'

const world = await createWorld(t)
const { database, cast, company, other, admin, member, stranger, staff, call } = world
const { db } = database

t.test('T-02 the token says the tenant, whatever else does', async t => {
  const own = await call(admin, 'GET', 'users?count=true&sort=email')
  const headers = { 'x-tenant-id': other, 'x-tenant': 'other', tenant: other, cookie: `tenant=${other}` }
  t.strictSame((await call(admin, 'GET', 'users?count=true&sort=email', undefined, headers)).body, own.body)
  for (const name of ['tenant', 'tenant_id', 'tid']) {
    const asked = await call(admin, 'GET', `users?${name}=${other}`)
    t.match(asked, { status: 400, body: { code: 'invalid-input' } }, name)
  }
  const email = `${randomUUID()}@example.test`
  t.equal((await call(admin, 'POST', 'users', { email, tenant_id: other })).status, 400)
  t.equal((await call(admin, 'POST', 'users', { email }, headers)).body.tenant_id, company)
  t.match(await call(admin, 'PATCH', `tenants/${other}`, { name: 'Mine' }), {
    status: 404,
    body: { code: 'tenant-not-found' },
  })
})

t.test('T-03 over fifty tenants no list, search, count or sort shows a foreign row', async t => {
  const tenants: { id: TenantId; keeper: TestActor }[] = []
  for (let index = 0; index < 50; index += 1) {
    const id = await cast.addTenant(`fifty-${index}`)
    const keeper = await cast.addActor(id, { roles: ['admin'], email: `common-keeper-${index}@example.test` })
    await cast.addPerson(id, { email: `common-person-${index}@example.test` })
    await cast.addRole(id, [], `common-role-${index}`)
    await call(keeper, 'POST', 'memberships', { email: 'common-invited@example.test' })
    tenants.push({ id, keeper })
  }
  for (const [index, { id, keeper }] of tenants.entries()) {
    const rows = async (list: string) => {
      const first = await call(keeper, 'GET', `${list}${list.includes('?') ? '&' : '?'}limit=1&count=true`)
      const items = [...first.body.items]
      for (let cursor = first.body.next_cursor; cursor !== null; ) {
        const page = await call(
          keeper,
          'GET',
          `${list}${list.includes('?') ? '&' : '?'}limit=1&count=true&cursor=${cursor}`,
        )
        items.push(...page.body.items)
        cursor = page.body.next_cursor
      }
      t.equal(first.body.total, items.length, `${list} counts its own`)
      return items
    }
    const users = await rows('users?q=common&sort=-email')
    t.strictSame(
      users.map((user: { email: string }) => user.email),
      [`common-person-${index}@example.test`, `common-keeper-${index}@example.test`],
    )
    t.ok(users.every((user: { tenant_id: string }) => user.tenant_id === id))
    t.strictSame(
      (await rows('roles?q=common')).map((role: { name: string }) => role.name),
      [`common-role-${index}`],
    )
    t.equal((await rows('memberships?q=common')).length, 3)
    const people = new Set([keeper.userId])
    t.ok((await rows('audit-events')).every((event: { actor_id: never }) => people.has(event.actor_id)))
  }
})

t.test('T-04 nothing refers into another tenant', async t => {
  const foreignRole = await cast.addRole(other, [])
  const person = await cast.addPerson(company)
  const email = `${randomUUID()}@example.test`
  for (const role of [foreignRole, newId()]) {
    for (const answer of [
      await call(admin, 'POST', `users/${person.userId}/roles`, { role_id: role }),
      await call(admin, 'PUT', `users/${person.userId}/roles/${role}`),
      await call(admin, 'PUT', `memberships/${person.membershipId}/roles/${role}`),
      await call(admin, 'POST', 'users', { email, role_ids: [role] }),
      await call(admin, 'POST', 'memberships', { email, role_ids: [role] }),
    ]) {
      t.match(answer, { status: 404, body: { code: 'role-not-found' } })
    }
  }
  t.equal((await call(admin, 'GET', `users?email=${email}&count=true`)).body.total, 0, 'nothing is half-written')
  t.equal((await call(admin, 'GET', `memberships?q=${email}&count=true`)).body.total, 0)

  await t.test('and the database refuses by itself', async t => {
    const { userId, membershipId } = person
    const role = await cast.addRole(company, [])
    const stateOf = async (tenant: TenantId, table: string, values: Record<string, string>) =>
      inTenant(db, tenant, async ({ sql }) => sql`insert into ${sql(table)} ${sql(values)}`).then(
        () => 'stored',
        (error: { code: string }) => error.code,
      )
    const assignment = { tenant_id: company, membership_id: membershipId }
    t.equal(await stateOf(company, 'membership_roles', { ...assignment, role_id: foreignRole }), '23503')
    t.equal(await stateOf(other, 'membership_roles', { ...assignment, role_id: role }), '42501')
    t.equal(
      await stateOf(other, 'membership_roles', { ...assignment, tenant_id: other, role_id: foreignRole }),
      '23503',
    )
    const permission = { tenant_id: company, role_id: foreignRole, permission_code: 'users:read' }
    t.equal(await stateOf(company, 'role_permissions', permission), '23503')
    t.equal(
      await stateOf(company, 'password_credentials', { tenant_id: company, user_id: stranger.userId, hash: 'x' }),
      '23503',
    )
    t.equal(await stateOf(other, 'password_credentials', { tenant_id: company, user_id: userId, hash: 'x' }), '42501')
  })
})

/** A row of the company in each table that this program does not write itself. */
function fillWaysIn() {
  const bytes = randomBytes(32)
  const [user, advisor, id] = [member.userId, admin.userId, newId()]
  return withAdminClient(database.superUrl, async sql => {
    await sql`insert into account_counters (tenant_id, subject, kind) values (${company}, ${user}, 'password')`
    await sql`insert into known_devices (tenant_id, user_id, fingerprint) values (${company}, ${user}, ${bytes})`
    await sql`insert into refresh_keys (tenant_id, user_id, hash) values (${company}, ${user}, 'x')`
    await sql`insert into advisor_clients (tenant_id, advisor_id, user_id) values (${company}, ${advisor}, ${user})`
    await sql`insert into client_tokens (tenant_id, id, kind, advisor_id, user_id, token_hash, expires_at)
      values (${company}, ${id}, 'access', ${advisor}, ${user}, ${bytes}, now())`
    await sql`insert into outbound_messages (tenant_id, id, channel, recipient, template)
      values (${company}, ${id}, 'email', 'ada@example.test', 'system')`
    await sql`insert into otp_challenges (tenant_id, id, purpose, subject, channel, destination, code_hash, max_attempts, expires_at)
      values (${company}, ${id}, 'sign-in', ${user}, 'email', 'ada@example.test', ${bytes}, 5, now())`
  })
}

async function fillOrganization(): Promise<void> {
  const id = newId()
  const { userId } = await cast.addPerson(company)
  await inTenant(db, company, async ({ sql }) => {
    await sql`insert into org_units (tenant_id, id, name) values (${company}, ${id}, 'Sales')`
    await sql`insert into positions (tenant_id, id, title) values (${company}, ${id}, 'Head of sales')`
    await sql`insert into customers (tenant_id, id, name) values (${company}, ${id}, 'Acme')`
    await sql`insert into subcontractors (tenant_id, id, name) values (${company}, ${id}, 'Acme')`
    await sql`insert into brands (tenant_id, id, name) values (${company}, ${id}, 'Acme')`
    await sql`insert into policies (tenant_id, id, name, source) values (${company}, ${id}, 'nothing', '')`
    await sql`insert into policy_statements (tenant_id, policy_id, number, line, effect, is_template, is_conditional, is_personal)
      values (${company}, ${id}, 0, 1, 'permit', true, true, true)`
    await sql`insert into policy_attachments (tenant_id, policy_id, user_id) values (${company}, ${id}, ${userId})`
  })
}

t.test('T-05 raw SQL as the program without a tenant, or with a random one, sees no row', async t => {
  const tables = await withAdminClient(
    database.superUrl,
    sql => sql<{ name: string }[]>`
      select table_name as name from information_schema.columns
      where table_schema = 'public' and column_name = 'tenant_id' and table_name <> 'all_tenants'`,
  )
  t.ok(tables.length >= 16, `${tables.length} tables`)
  await fillWaysIn()
  await fillOrganization()
  for (const { name } of [...tables, { name: 'tenants' }]) {
    const unset = await runStatement(db, sql => sql`select 1 from ${sql(name)} limit 1`)
    t.equal(unset.length, 0, `${name}, unset`)
    const random = await inTenant(db, newId<TenantId>(), ({ sql }) => sql`select 1 from ${sql(name)} limit 1`)
    t.equal(random.length, 0, `${name}, random`)
    const own = await inTenant(db, company, ({ sql }) => sql`select 1 from ${sql(name)} limit 1`)
    const isEmptyHere = ['password_credentials', 'idempotency_keys', 'role_permissions'].includes(name)
    t.equal(own.length, isEmptyHere ? own.length : 1, `${name}, its own`)
  }
})

t.test('nobody whom the programs log in as changes an audit event', async t => {
  const attempts: Record<string, string> = {
    update: "update audit_events set action = 'nothing.happened'",
    delete: 'delete from audit_events',
    truncate: 'truncate audit_events',
    'turn off its protection': 'alter table audit_events disable row level security',
  }
  const count = () =>
    inTenant(db, company, async ({ sql }) =>
      (await sql`select id, action from audit_events order by id`).map(row => ({ ...row })),
    )
  const before = await count()
  t.ok(before.length > 0)
  for (const [what, statement] of Object.entries(attempts)) {
    await t.rejects(
      inTenant(db, company, ({ sql }) => sql.unsafe(statement)),
      { code: '42501' },
      `signet_app may not ${what}`,
    )
    await t.rejects(Promise.resolve(db.sql.unsafe(statement)), { code: '42501' }, `the login itself may not ${what}`)
  }
  for (const role of ['signet_system', 'signet_places']) {
    await t.rejects(
      Promise.resolve(db.sql.unsafe(`set role ${role}`)),
      { code: '42501' },
      `the login may not become ${role}`,
    )
  }
  t.strictSame(await count(), before)
})

t.test('platform staff act in a tenant by entering it, with the same isolation', async t => {
  const entered = await cast.signIn(staff, company)
  const person = await cast.addPerson(company)
  const foreign = await cast.addPerson(other)
  t.equal((await call(entered, 'GET', `users/${person.userId}`)).status, 200)
  t.match(await call(entered, 'GET', `users/${foreign.userId}`), { status: 404, body: { code: 'user-not-found' } })
  t.match(await call(staff, 'GET', `users/${person.userId}`), { status: 404, body: { code: 'user-not-found' } })
  t.equal((await call(staff, 'GET', `tenants/${other}`)).status, 200, 'the tenants themselves are the platform’s')
})

t.test('T-06 the program does not start on a database that could mix tenants', async t => {
  const unsafe = await testDatabase(t)
  const start = () =>
    startAdminApi({
      database: unsafe.db,
      environment: 'test',
      host: '127.0.0.1',
      port: 0,
      issuer: world.issuer.issuer,
      audience: world.issuer.audience,
      keysFolder: t.testdir(),
      passwordMinLength: 8,
      addresses: { iam: 'http://localhost:4000', admin: 'http://localhost:4001', places: '' },
      serviceKeys: [],
      sendsEvents: false,
      setupToken: undefined,
      workerCount: 1,
      storage: { by: 'off' },
      maxImageMegabytes: 5,
      serviceUrls: {},
      trustProxy: [],
      ...compatSettings,
      logger: testLogger(loggerOptions('trace', 'json', 'admin-api'), 'admin-api'),
    })
  const program = await start()
  await program.stop()
  await withAdminClient(unsafe.superUrl, sql => sql.unsafe('alter table memberships no force row level security'))
  await t.rejects(start(), { name: 'UnsafeSchemaError', message: /memberships/ })
  await withAdminClient(unsafe.superUrl, sql => sql.unsafe('alter table memberships force row level security'))
  await withAdminClient(unsafe.superUrl, sql => sql.unsafe('drop policy tenant_isolation on roles'))
  await t.rejects(start(), { name: 'UnsafeSchemaError', message: /roles/ })
})
