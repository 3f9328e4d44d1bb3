import { inTenant, runStatement, type TenantTx } from '@signet/db'
import {
  type Actor,
  authorize,
  Grant,
  newId,
  type Policy,
  type Problem,
  type SessionId,
  type TenantId,
  type UserId,
} from '@signet/kernel'
import { testDatabase } from '@signet/testkit'
import t from 'tap'
import {
  activateUser,
  changeUser,
  createUser,
  deleteUser,
  endUserSessions,
  findPasswordHash,
  findUser,
  type NewUser,
  type Registrant,
  setPassword,
  suspendUser,
  type TenantRef,
  type User,
} from '../src/index.ts'

const { db } = await testDatabase(t)

const platform = newId<TenantId>()
const company = newId<TenantId>()
const administratorId = newId<UserId>()
const request = { id: '0199a000-0000-7000-8000-000000000001', ip: '192.0.2.1' }
await runStatement(
  db,
  sql =>
    sql`select bootstrap_installation(${platform}, ${company}, 'acme', 'Acme', ${administratorId}, 'root@example.com', null, null, 'x', null, null)`,
)

const administrator: Actor = {
  userId: administratorId,
  tenantId: company,
  sessionId: newId<SessionId>(),
  roles: new Set(['admin']),
  kind: 'user',
  permissions: new Set(),
  grantable: new Set(),
  isPlatformStaff: true,
  request,
}
const stranger: Registrant = { request }
const anybody = () => true as const
const creation: Policy<'users:create', TenantRef> = {
  see: 'users:create',
  hidden: 'tenant-not-found',
  rules: { 'users:create': anybody },
}
const registration: Policy<'users:register', TenantRef, Registrant> = {
  see: 'users:register',
  hidden: 'tenant-not-found',
  rules: { 'users:register': anybody },
}
const people: Policy<'users:modify' | 'users:delete', User> = {
  see: 'users:modify',
  hidden: 'user-not-found',
  rules: { 'users:modify': anybody, 'users:delete': anybody },
}
const mayCreate = authorize(creation, 'users:create', administrator, { id: company })

const inCompany = <T>(work: (tx: TenantTx) => Promise<T>) => inTenant(db, company, work)
const create = (person: NewUser, passwordHash: string | null = null) =>
  inCompany(tx => createUser(tx, mayCreate, { ...person, passwordHash }))
const codeOf = (work: Promise<unknown>) =>
  work.then(
    () => 'done',
    (error: Problem) => error.code,
  )
const changing = (user: User) => authorize(people, 'users:modify', administrator, user)
const auditOf = (id: string) =>
  inCompany(
    tx => tx.sql<{ action: string; actor_id: string | null; before: unknown; after: unknown; ip: string }[]>`
    select action, actor_id, before, after, ip from audit_events where target_id = ${id} order by at, id`,
  )

async function openSession(user: UserId, tenant: TenantId): Promise<SessionId> {
  const id = newId<SessionId>()
  const rows = await runStatement(
    db,
    sql =>
      sql`select * from open_session(${id}, ${user}, ${tenant}, null, ${Buffer.alloc(32)}, '{pwd}', '5 days', '30 days', 'session.opened', null, null, null)`,
  )
  if (rows.length === 0) throw new Error('The session was refused.')
  return id
}

async function liveSessions(user: UserId): Promise<number> {
  const [row] = await inCompany(
    tx =>
      tx.sql<
        { live: number }[]
      >`select count(*)::int as live from sessions where user_id = ${user} and ended_at is null`,
  )
  return row?.live ?? -1
}

t.test('a person is created', async t => {
  await t.test('with password, membership, role and audit event in one transaction', async t => {
    const user = await create({ email: 'Ada@Example.com', firstName: 'Ada' }, 'the hash')
    t.match(user, {
      email: 'ada@example.com',
      firstName: 'Ada',
      kind: 'user',
      status: 'active',
      language: 'en',
      version: 1,
    })
    const [access] = await runStatement(
      db,
      sql => sql`select roles, is_member from member_access(${company}, ${user.id})`,
    )
    t.same(access, { roles: ['member'], is_member: true })
    t.equal(await inCompany(tx => findPasswordHash(tx, { userId: user.id, tenantId: company })), 'the hash')
    const [event] = await auditOf(user.id)
    t.match(event, {
      action: 'user.created',
      actor_id: administratorId,
      after: { email: 'ada@example.com', first_name: 'Ada' },
      ip: '192.0.2.1',
    })
    t.notMatch(JSON.stringify(event), /hash/)
  })
  await t.test('by themselves, with nobody as the actor', async t => {
    const grant = authorize(registration, 'users:register', stranger, { id: company })
    const user = await inCompany(tx => createUser(tx, grant, { username: 'self', passwordHash: null }))
    t.match(await auditOf(user.id), [{ action: 'user.registered', actor_id: null }])
  })
  await t.test('once: the constraints name what is taken, in any case, and nothing is half-written', async t => {
    await create({ email: 'taken@example.com', username: 'Taken', phone: '+491701234567' })
    t.equal(await codeOf(create({ email: 'TAKEN@example.com' })), 'email-taken')
    t.equal(await codeOf(create({ username: 'taken' })), 'username-taken')
    t.equal(await codeOf(create({ username: 'other', phone: '+491701234567' })), 'phone-taken')
    t.equal(await codeOf(create({})), 'invalid-input')
    const [row] = await inCompany(
      tx => tx.sql<{ count: number }[]>`select count(*)::int as count from users where username = 'other'`,
    )
    t.equal(row?.count, 0)
  })
  await t.test('sixteen at once with one address make one person', async t => {
    const codes = await Promise.all(Array.from({ length: 16 }, () => codeOf(create({ email: 'race@example.com' }))))
    t.same(codes.toSorted(), ['done', ...Array.from({ length: 15 }, () => 'email-taken')])
  })
})

t.test('a person is changed', async t => {
  const user = await create({ email: 'change@example.com', name: 'Before' })
  await t.test('and the audit event holds what was and what is', async t => {
    const after = await inCompany(tx =>
      changeUser(tx, changing(user), { name: 'After', language: 'fr', email: 'CHANGE@example.com' }),
    )
    t.match(after, { name: 'After', language: 'fr', email: 'change@example.com', version: 2 })
    const [, event] = await auditOf(user.id)
    t.match(event, {
      action: 'user.modified',
      before: { name: 'Before', language: 'en' },
      after: { name: 'After', language: 'fr' },
    })
    t.notOk(Object.hasOwn(event?.after as object, 'email'), 'an unchanged member is no change')
  })
  await t.test('but not over the change of somebody else', async t => {
    t.equal(await codeOf(inCompany(tx => changeUser(tx, changing(user), { name: 'Late' }))), 'concurrent-change')
  })
  await t.test('and a new address is not verified', async t => {
    await inCompany(tx => tx.sql`update users set email_verified_at = now() where id = ${user.id}`)
    const fresh = await inCompany(tx => findUser(tx, user.id))
    t.ok(fresh.emailVerifiedAt)
    const after = await inCompany(tx => changeUser(tx, changing(fresh), { email: 'new@example.com' }))
    t.equal(after.emailVerifiedAt, null)
  })
  await t.test('and keeps at least one way to be found', async t => {
    const fresh = await inCompany(tx => findUser(tx, user.id))
    t.equal(await codeOf(inCompany(tx => changeUser(tx, changing(fresh), { email: null }))), 'invalid-input')
  })
  await t.test('and a change that changes nothing leaves no trace', async t => {
    const fresh = await inCompany(tx => findUser(tx, user.id))
    const before = await auditOf(user.id)
    t.equal((await inCompany(tx => changeUser(tx, changing(fresh), { name: 'After' }))).version, fresh.version)
    t.equal((await auditOf(user.id)).length, before.length)
  })
})

t.test('a password is set', async t => {
  const user = await create({ username: 'secretive' }, 'first')
  const person = { userId: user.id, tenantId: company }
  await t.test('over the one that was checked, and not over another', async t => {
    await inCompany(tx => setPassword(tx, person, 'second', { mustChange: false, checkedHash: 'first' }))
    t.equal(
      await codeOf(inCompany(tx => setPassword(tx, person, 'third', { mustChange: false, checkedHash: 'first' }))),
      'concurrent-change',
    )
    t.equal(await inCompany(tx => findPasswordHash(tx, person)), 'second')
  })
  await t.test('by an administrator whatever it was', async t => {
    await inCompany(tx => setPassword(tx, person, 'fourth', { mustChange: true }))
    t.equal(await inCompany(tx => findPasswordHash(tx, person)), 'fourth')
  })
})

t.test('sessions end', async t => {
  await t.test('all but one, on request', async t => {
    const user = await create({ username: 'three-devices' })
    const sessions = [
      await openSession(user.id, company),
      await openSession(user.id, company),
      await openSession(user.id, company),
    ]
    const ended = await inCompany(tx =>
      endUserSessions(tx, user.id, { except: sessions[0] as SessionId, reason: 'password-changed' }),
    )
    t.equal(ended, 2)
    t.equal(await liveSessions(user.id), 1)
  })
  await t.test('with a suspension, which an activation takes back', async t => {
    const user = await create({ username: 'suspended' })
    await openSession(user.id, company)
    const suspended = await inCompany(tx => suspendUser(tx, changing(user)))
    t.equal(suspended.status, 'suspended')
    t.equal(await liveSessions(user.id), 0)
    t.equal(await codeOf(openSession(user.id, company)), undefined, 'none is opened for them')
    t.equal(await codeOf(inCompany(tx => suspendUser(tx, changing(suspended)))), 'user-state-conflict')
    const active = await inCompany(tx => activateUser(tx, changing(suspended)))
    t.equal(active.status, 'active')
    t.same(await inCompany(tx => activateUser(tx, changing(active))), active, 'who is active stays so')
    t.same(
      (await auditOf(user.id)).map(event => event.action),
      ['user.created', 'user.suspended', 'user.activated', 'user.activated'],
    )
  })
  await t.test('with a deletion, after which nothing says who it was and the address is free', async t => {
    const user = await create({ email: 'gone@example.com', phone: '+33123456789', name: 'Gone' }, 'hash')
    await openSession(user.id, company)
    await inCompany(tx => deleteUser(tx, authorize(people, 'users:delete', administrator, user)))
    t.equal(await liveSessions(user.id), 0)
    t.equal(await codeOf(inCompany(tx => findUser(tx, user.id))), 'user-not-found')
    t.equal(await inCompany(tx => findPasswordHash(tx, { userId: user.id, tenantId: company })), null)
    const [row] = await inCompany(
      tx => tx.sql`select email, phone, username, name, status from users where id = ${user.id}`,
    )
    t.same(row, { email: null, phone: null, username: null, name: null, status: 'deleted' })
    t.equal(await codeOf(create({ email: 'gone@example.com' })), 'done')
  })
  await t.test('but not those of the last administrator', async t => {
    const last = await inTenant(db, platform, tx => findUser(tx, administratorId))
    t.equal(await codeOf(inTenant(db, platform, tx => suspendUser(tx, changing(last)))), 'last-administrator')
    t.equal(
      await codeOf(
        inTenant(db, platform, tx => deleteUser(tx, authorize(people, 'users:delete', administrator, last))),
      ),
      'last-administrator',
    )
    t.equal((await inTenant(db, platform, tx => findUser(tx, administratorId))).status, 'active')
  })
})

t.test('a person of another tenant is not there', async t => {
  const user = await create({ username: 'elsewhere' })
  t.equal(await codeOf(inTenant(db, platform, tx => findUser(tx, user.id))), 'user-not-found')
  t.equal(await codeOf(inTenant(db, platform, tx => suspendUser(tx, changing(user)))), 'concurrent-change')
  t.equal(await inTenant(db, platform, tx => endUserSessions(tx, user.id, { reason: 'x' })), 0)
  t.ok(Grant.isGrant(mayCreate))
})
