import { setTimeout as pause } from 'node:timers/promises'
import { inTenant, runStatement } from '@signet/db'
import type { RoleId, TenantId } from '@signet/kernel'
import type { TestActor, TestPerson } from '@signet/testkit'
import t from 'tap'
import { type Answer, createWorld, type Method } from './world.ts'

const world = await createWorld(t)
const { database, cast, company, other, platform, admin, staff, call } = world

const roleNamed = async (tenant: TenantId, name: string): Promise<RoleId> => {
  const found = await inTenant(
    database.db,
    tenant,
    ({ sql }) => sql<{ id: RoleId }[]>`select id from roles where tenant_id = ${tenant} and name = ${name}`,
  )
  return found[0]?.id as RoleId
}
const adminRole = await roleNamed(company, 'admin')
const rolesOf = async (person: TestPerson) =>
  (await call(admin, 'GET', `memberships/${person.membershipId}/roles`)).body.items.map(
    (role: { name: string }) => role.name,
  )

/** Every permission over people and roles, and nothing of the audit. */
const manages = ['users', 'roles', 'memberships'].flatMap(resource =>
  ['read', 'list', 'create', 'modify', 'delete'].map(verb => `${resource}:${verb}`),
)
const manager = await cast.addActor(company, { permissions: manages })

t.test('X-02 nobody gives what they lack, by any path', async t => {
  const strong = await cast.addRole(company, ['users:read', 'audit-events:read'])
  const weak = await cast.addRole(company, ['users:read'])
  const person = await cast.addPerson(company)
  const before = await rolesOf(manager)
  const email = 'x02@example.test'
  const paths: [Method, string, object | undefined, string][] = [
    ['POST', 'roles', { name: 'x02', permissions: ['users:read', 'audit-events:read'] }, 'audit-events:read'],
    ['PATCH', `roles/${weak}`, { permissions: ['users:read', 'audit-events:list'] }, 'audit-events:list'],
    ['PUT', `roles/${weak}/permissions/audit-events:read`, undefined, 'audit-events:read'],
    ['POST', `users/${manager.userId}/roles`, { role_id: adminRole }, 'audit-events:list, audit-events:read'],
    ['PUT', `users/${manager.userId}/roles/${adminRole}`, undefined, 'tenants:modify'],
    ['PUT', `memberships/${manager.membershipId}/roles/${strong}`, undefined, 'audit-events:read'],
    ['POST', `memberships/${manager.membershipId}/roles`, { role_id: strong }, 'audit-events:read'],
    ['POST', `users/${person.userId}/roles`, { role_id: strong }, 'audit-events:read'],
    ['POST', 'users', { email, role_ids: [weak, strong] }, 'audit-events:read'],
    ['POST', 'memberships', { email, role_ids: [adminRole] }, 'audit-events:read'],
  ]
  for (const [method, path, body, named] of paths) {
    const answer = await call(manager, method, path, body, { 'if-match': '*' })
    t.match(answer, { status: 403, body: { code: 'grant-exceeds-own' } }, `${method} ${path} ${answer.text}`)
    t.match(answer.body.detail, named, 'names what is lacked')
  }
  t.strictSame(await rolesOf(manager), before, 'they are who they were')
  t.equal((await call(admin, 'GET', `users?email=${email}&count=true`)).body.total, 0)
  t.equal((await call(admin, 'GET', `memberships?q=${email}&count=true`)).body.total, 0)
  t.strictSame((await call(admin, 'GET', `roles/${weak}`)).body.permissions, ['users:read'])

  await t.test('nor roles with a permission to create people or invite them alone', async t => {
    const creator = await cast.addActor(company, { permissions: ['users:create', 'memberships:create', 'users:read'] })
    for (const path of ['users', 'memberships']) {
      const answer = await call(creator, 'POST', path, { email, role_ids: [weak] })
      t.match(answer, { status: 403, body: { code: 'forbidden', detail: /memberships:modify/ } }, path)
    }
  })
  await t.test('and what they hold they may give', async t => {
    t.equal((await call(manager, 'POST', `users/${person.userId}/roles`, { role_id: weak })).status, 201)
    t.equal((await call(manager, 'PUT', `roles/${weak}/permissions/roles:read`)).status, 204)
  })
  await t.test('and what works on the installation goes into no role of a company', async t => {
    const entered = await cast.signIn(staff, company)
    const refused = { status: 422, body: { code: 'unknown-permission', detail: /tenants:create/ } }
    t.match(await call(entered, 'POST', 'roles', { name: 'x02', permissions: ['tenants:create'] }), refused)
    t.match(await call(entered, 'PUT', `roles/${weak}/permissions/tenants:create`), refused)
    t.match(await call(admin, 'POST', 'roles', { name: 'x02', permissions: ['tenants:create'] }), {
      status: 403,
      body: { code: 'grant-exceeds-own' },
    })
    const made = await call(staff, 'POST', 'roles', { name: 'support', permissions: ['tenants:list'] })
    t.equal(made.status, 201, 'a role of the platform may hold it')
  })
})

t.test('X-02 nobody acts on a person who holds more than they do', async t => {
  const strong = await cast.addPerson(company, { permissions: ['audit-events:read'] })
  const guest = await cast.addPerson(other)
  const guestMembership = await cast.addGuest(company, guest, ['admin'])
  const strongRole = await cast.addRole(company, ['audit-events:read', 'users:read'])
  const { userId } = strong
  const paths: [Method, string, object | undefined][] = [
    ['PATCH', `users/${userId}`, { email: 'mine@example.test' }],
    ['DELETE', `users/${userId}`, undefined],
    ['POST', `users/${userId}/suspend`, undefined],
    ['POST', `users/${userId}/activate`, undefined],
    ['POST', `users/${userId}/reset-password`, undefined],
    ['POST', `users/${userId}/roles`, { role_id: await cast.addRole(company, []) }],
    ['DELETE', `users/${userId}/roles/${strongRole}`, undefined],
    ['DELETE', `memberships/${guestMembership}`, undefined],
    ['DELETE', `memberships/${guestMembership}/roles/${adminRole}`, undefined],
    ['PATCH', `roles/${strongRole}`, { name: 'weaker' }],
    ['DELETE', `roles/${strongRole}`, undefined],
    ['DELETE', `roles/${strongRole}/permissions/users:read`, undefined],
  ]
  for (const [method, path, body] of paths) {
    const answer = await call(manager, method, path, body, { 'if-match': '*' })
    t.match(
      answer,
      { status: 403, body: { code: 'forbidden', detail: /audit-events:read/ } },
      `${method} ${path} ${answer.text}`,
    )
  }
  t.equal((await call(manager, 'GET', `users/${userId}`)).status, 200, 'though they see them')

  await t.test('nor on platform staff at home in their tenant', async t => {
    const colleague = await cast.addPerson(company)
    await cast.addGuest(platform, colleague, ['super_admin'])
    const answer = await call(admin, 'PATCH', `users/${colleague.userId}`, { email: 'mine@example.test' })
    t.match(answer, { status: 403, body: { code: 'forbidden', detail: /platform staff/ } })
    const entered = await cast.signIn(staff, company)
    t.equal((await call(entered, 'PATCH', `users/${colleague.userId}`, { name: 'Colleague' })).status, 200)
  })
})

t.test('the token is believed about who, never about what they may', async t => {
  const refusedWith = async (actor: TestActor, status: number, code: string, why: string) =>
    t.match(await call(actor, 'GET', 'users'), { status, body: { code } }, why)
  const lists = { permissions: ['users:list'] }

  await t.test('a role that is taken away stops working at once', async () => {
    const actor = await cast.addActor(company, lists)
    t.equal((await call(actor, 'GET', 'users')).status, 200)
    const { items } = (await call(admin, 'GET', `users/${actor.userId}/roles`)).body
    const own = items.find((role: { name: string }) => role.name.startsWith('own-'))
    t.equal((await call(admin, 'DELETE', `users/${actor.userId}/roles/${own.id}`)).status, 204)
    await refusedWith(actor, 403, 'forbidden', 'the token still says otherwise')
    t.equal((await call(admin, 'PUT', `users/${actor.userId}/roles/${own.id}`)).status, 204)
    t.equal((await call(actor, 'GET', 'users')).status, 200)
    t.equal((await call(admin, 'DELETE', `roles/${own.id}/permissions/users:list`)).status, 204)
    await refusedWith(actor, 403, 'forbidden', 'so does a permission that leaves the role')
  })
  await t.test('a permission that only the token claims is none', async () => {
    const actor = await cast.addActor(company)
    const { userId: sub, actingIn: tid, sessionId: sid } = actor
    const token = world.issuer.token({ sub, tid, sid, roles: ['admin', 'super_admin'], permissions: ['users:list'] })
    await refusedWith({ ...actor, headers: { authorization: `Bearer ${token}` } }, 403, 'forbidden', 'claimed')
  })
  await t.test(
    'an ended session, a suspended or deleted person, a guest who left, a suspended tenant: 401',
    async () => {
      const [suspended, deleted] = [await cast.addActor(company, lists), await cast.addActor(company, lists)]
      await call(admin, 'POST', `users/${suspended.userId}/suspend`)
      await refusedWith(suspended, 401, 'session-ended', 'suspended')
      await call(admin, 'POST', `users/${suspended.userId}/activate`)
      await refusedWith(suspended, 401, 'session-ended', 'the session stays ended')
      await call(admin, 'DELETE', `users/${deleted.userId}`)
      await refusedWith(deleted, 401, 'session-ended', 'deleted')

      const person = await cast.addPerson(other)
      const membershipId = await cast.addGuest(company, person, ['admin'])
      const guest = await cast.signIn(person, company)
      const atHome = await cast.signIn(person, other)
      t.equal((await call(guest, 'GET', 'users')).status, 200)
      t.equal((await call(admin, 'DELETE', `memberships/${membershipId}`)).status, 204)
      await refusedWith(guest, 401, 'session-ended', 'no longer a guest')
      const [left] = await inTenant(
        database.db,
        company,
        ({ sql }) =>
          sql<{ why: string | null }[]>`select end_reason as why from sessions where id = ${guest.sessionId}`,
      )
      t.equal(left?.why, 'membership-removed', 'and stays out should they come back')
      t.equal((await call(atHome, 'GET', 'users')).status, 403, 'the session at home goes on')

      const tenant = await cast.addTenant()
      const keeper = await cast.addActor(tenant, { roles: ['admin'] })
      const paused = await call(staff, 'PATCH', `tenants/${tenant}`, { status: 'suspended' })
      t.match(paused, { status: 200, body: { status: 'suspended' } })
      await refusedWith(keeper, 401, 'session-ended', 'suspended tenant')
      const live = await inTenant(
        database.db,
        tenant,
        ({ sql }) => sql`select 1 from sessions where tenant_id = ${tenant} and ended_at is null`,
      )
      t.equal(live.length, 0, 'its sessions ended with it')

      const other2 = await cast.addActor(company, lists)
      await runStatement(database.db, sql => sql`select end_session(${other2.sessionId}, 'signed-out', '', null)`)
      await refusedWith(other2, 401, 'session-ended', 'signed out')
    },
  )
  await t.test('a token that names no person, tenant or session of ours is refused', async t => {
    const { userId: sub, actingIn: tid, sessionId: sid } = admin
    for (const claims of [{ sid: undefined }, { sid: "' or 1=1" }, { sub: 'root' }, { tid: 'platform' }]) {
      const token = world.issuer.token({ sub, tid, sid, ...claims })
      const answer = await call({ ...admin, headers: { authorization: `Bearer ${token}` } }, 'GET', 'users')
      t.match(answer, { status: 401, body: { code: 'invalid-claims' } }, JSON.stringify(claims))
    }
    const token = world.issuer.token({ sub, tid: other, sid })
    const answer = await call({ ...admin, headers: { authorization: `Bearer ${token}` } }, 'GET', 'users')
    t.match(answer, { status: 401, body: { code: 'session-ended' } }, 'the session is of another tenant')
  })
  await t.test('who must change their password does that first', async () => {
    const actor = await cast.addActor(company, lists)
    await inTenant(
      database.db,
      company,
      ({ sql }) =>
        sql`insert into password_credentials (tenant_id, user_id, hash, must_change) values (${company}, ${actor.userId}, 'x', true)`,
    )
    await refusedWith(actor, 403, 'password-change-required', 'temporary password')
  })
})

t.test('X-06 the last administrator stays, whichever path takes them away', async t => {
  const twenty = Array.from({ length: 20 }, (_, index) => index)
  const sum = (answers: readonly Answer[]) => {
    const codes = answers.map(({ status, body }) => (status < 300 ? 'done' : (body.code as string)))
    return Object.fromEntries(
      [...new Set(codes)].toSorted().map(code => [code, codes.filter(each => each === code).length]),
    )
  }
  const remaining = async (tenant: TenantId) =>
    inTenant(database.db, tenant, async ({ sql }) => {
      const [row] = await sql<{ count: number }[]>`
        select count(*)::int as count from membership_roles mr
        join roles r on r.tenant_id = mr.tenant_id and r.id = mr.role_id and r.name = 'admin'
        join memberships m on m.tenant_id = mr.tenant_id and m.id = mr.membership_id
        join users u on u.id = m.user_id and u.status = 'active' where mr.tenant_id = ${tenant}`
      return row?.count
    })
  const crowd = async (size: number) => {
    const tenant = await cast.addTenant()
    const keepers: TestActor[] = []
    while (keepers.length < size) keepers.push(await cast.addActor(tenant, { roles: ['admin'] }))
    return { tenant, keepers, role: await roleNamed(tenant, 'admin') }
  }
  /**
   * All twenty wait for one row and ten connections: 10 to 20 ms each while nothing else runs, and whoever has none after 0.9 s
   * is told to come back. That changes nothing, and so they do.
   */
  const insist: typeof call = async (...request) => {
    for (let comeBack = 0; ; comeBack += 1) {
      const answer = await call(...request)
      if (comeBack === 5 || answer.body?.code !== 'database-unavailable') return answer
      await pause(Number(answer.headers['retry-after']) * 1_000)
    }
  }

  await t.test('twenty attempts on one', async t => {
    const { tenant, keepers, role } = await crowd(1)
    const keeper = keepers[0] as TestActor
    const attempts: (() => Promise<Answer>)[] = [
      () => insist(keeper, 'DELETE', `users/${keeper.userId}/roles/${role}`),
      () => insist(keeper, 'DELETE', `memberships/${keeper.membershipId}/roles/${role}`),
      () => insist(keeper, 'POST', `users/${keeper.userId}/suspend`),
      () => insist(keeper, 'DELETE', `users/${keeper.userId}`),
    ]
    const answers = await Promise.all(twenty.map(index => (attempts[index % 4] as () => Promise<Answer>)()))
    t.strictSame(sum(answers), { 'last-administrator': 20 })
    t.equal(await remaining(tenant), 1)
  })
  for (const [what, attempt] of [
    ['give up the role', ({ userId }: TestActor, role: RoleId) => ['DELETE', `users/${userId}/roles/${role}`]],
    ['suspend themselves', ({ userId }: TestActor) => ['POST', `users/${userId}/suspend`]],
    ['delete themselves', ({ userId }: TestActor) => ['DELETE', `users/${userId}`]],
  ] as [string, (actor: TestActor, role: RoleId) => [Method, string]][]) {
    await t.test(`twenty who ${what} at once: nineteen do`, async t => {
      const { tenant, keepers, role } = await crowd(20)
      const answers = await Promise.all(keepers.map(keeper => insist(keeper, ...attempt(keeper, role))))
      t.strictSame(sum(answers), { done: 19, 'last-administrator': 1 })
      t.equal(await remaining(tenant), 1)
    })
  }
  await t.test('a guest who is the only one cannot be put out either', async t => {
    const tenant = await cast.addTenant()
    const person = await cast.addPerson(other)
    const membershipId = await cast.addGuest(tenant, person, ['admin'])
    const guest = await cast.signIn(person, tenant)
    const answer = await call(guest, 'DELETE', `memberships/${membershipId}`)
    t.match(answer, { status: 409, body: { code: 'last-administrator' } })
  })
  await t.test('and the platform keeps its last super_admin', async t => {
    const role = await roleNamed(platform, 'super_admin')
    const colleagues = await inTenant(
      database.db,
      platform,
      ({ sql }) => sql<{ id: string }[]>`
        select membership_id as id from membership_roles where role_id = ${role} and membership_id <> ${staff.membershipId}`,
    )
    for (const { id } of colleagues)
      t.equal((await call(staff, 'DELETE', `memberships/${id}/roles/${role}`)).status, 204)
    const answer = await call(staff, 'DELETE', `users/${staff.userId}/roles/${role}`)
    t.match(answer, { status: 409, body: { code: 'last-administrator' } })
  })
})
