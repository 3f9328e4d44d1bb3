/** A person's life from the invitation to the deletion, with all that can hang on them: what ends when is in `docs/people.md`. */
import { randomBytes } from 'node:crypto'
import { inTenant, runStatement, withAdminClient } from '@signet/db'
import { type MembershipId, newId, type TenantId } from '@signet/kernel'
import type { TestPerson } from '@signet/testkit'
import t, { type Test } from 'tap'
import { type Answer, createWorld } from './world.ts'

const world = await createWorld(t)
const { database, cast, company, other, admin, stranger, call } = world

const asOwner = <T>(work: Parameters<typeof withAdminClient<T>>[1]) => withAdminClient(database.superUrl, work)
const proveAddress = ({ userId }: TestPerson) =>
  asOwner(sql => sql`update users set email_verified_at = now() where id = ${userId}`)

/** As the issuer does for whoever is signed in; gives the tenant, or null. */
const accept = async (invitation: MembershipId, { userId }: TestPerson) => {
  const [row] = await runStatement(
    database.db,
    sql => sql<{ tenant: TenantId | null }[]>`select accept_membership(${invitation}, ${userId}, '', null) as tenant`,
  )
  return row?.tenant
}

/** What is left of a person, and where: the tenants of the rows, named. */
const remains = ({ userId }: TestPerson) =>
  asOwner(async sql => {
    const count = async (table: string, columns: string[]) => {
      const rows = await sql<{ slug: string }[]>`
        select t.slug from ${sql(table)} x join tenants t on t.id = x.tenant_id
        where ${userId} in (${sql(columns)}) ${table === 'sessions' ? sql`and x.ended_at is null` : sql``} order by t.slug`
      return rows.map(({ slug }) => slug).join(' ')
    }
    return {
      passwords: await count('password_credentials', ['user_id']),
      refreshKeys: await count('refresh_keys', ['user_id']),
      codes: await count('otp_challenges', ['user_id']),
      devices: await count('known_devices', ['user_id']),
      attempts: await count('account_counters', ['subject']),
      sessions: await count('sessions', ['user_id', 'act_sub']),
      tokens: await count('client_tokens', ['user_id', 'advisor_id']),
      memberships: await count('memberships', ['user_id']),
      policies: await count('policy_attachments', ['user_id']),
      advised: await count('advisor_clients', ['user_id', 'advisor_id']),
    }
  })

/** What the issuer keeps of a person who uses every way in: its own tests make the same rows over HTTP. */
const useWaysIn = ({ userId, tenantId }: TestPerson) =>
  asOwner(async sql => {
    await sql`insert into password_credentials (tenant_id, user_id, hash) values (${tenantId}, ${userId}, 'a hash')`
    await sql`insert into refresh_keys (tenant_id, user_id, hash) values (${tenantId}, ${userId}, 'a hash')`
    await sql`insert into otp_challenges
      (tenant_id, id, purpose, subject, user_id, channel, destination, code_hash, max_attempts, expires_at)
      values (${tenantId}, ${newId()}, 'sign-in', ${userId}, ${userId}, 'email', 'x', '', 5, now() + interval '10 minutes')`
    await sql`insert into known_devices (tenant_id, user_id, fingerprint) values (${tenantId}, ${userId}, '')`
    await sql`insert into account_counters (tenant_id, subject, kind) values (${tenantId}, ${userId}, 'password')`
  })

const mintToken = (tenant: TenantId, advisorId: string, userId: string) =>
  inTenant(
    database.db,
    tenant,
    ({ sql }) => sql`insert into client_tokens (tenant_id, id, kind, advisor_id, user_id, token_hash, expires_at)
      values (${tenant}, ${newId()}, 'access', ${advisorId}, ${userId}, ${randomBytes(32)}, now() + interval '1 hour')`,
  )

/** A guest of the other company in every way that there is: with roles, a position, a policy, advising and advised. */
async function becomeGuest(t: Test, person: TestPerson): Promise<MembershipId> {
  const roles = (await call(stranger, 'GET', 'roles?name=advisor')).body
  const invited = await call(stranger, 'POST', 'memberships', { email: person.email, role_ids: [roles.items[0].id] })
  t.match(invited, { status: 202, body: { status: 'invited', user_id: null, brand_id: null } })
  t.equal(await accept(invited.body.id, person), other)
  const made = async (path: string, body: object) => (await call(stranger, 'POST', path, body)).body.id as string
  const position = await made('positions', { title: `Clerk ${newId()}` })
  const brand = await made('brands', { name: `Brand ${newId()}` })
  const source = 'permit (principal == ?principal, action == Action::"users:read", resource);'
  const policy = await made('policies', { name: `p ${newId()}`, source })
  const [above, below] = [await cast.addPerson(other, { roles: ['advisor'] }), await cast.addPerson(other)]
  for (const path of [
    `positions/${position}/users/${person.userId}`,
    `brands/${brand}/advisors/${person.userId}`,
    `users/${person.userId}/policies/${policy}`,
    `advisors/${person.userId}/clients/${below.userId}`,
    `advisors/${above.userId}/clients/${person.userId}`,
  ])
    t.equal((await call(stranger, 'PUT', path)).status, 204, path)
  await mintToken(other, person.userId, below.userId)
  await mintToken(other, above.userId, person.userId)
  t.match((await call(stranger, 'GET', `memberships/${invited.body.id}`)).body, {
    is_guest: true,
    position: { id: position },
    brand_id: brand,
  })
  return invited.body.id
}

const everything = {
  passwords: 'company',
  refreshKeys: 'company',
  codes: 'company',
  devices: 'company',
  attempts: 'company',
  sessions: 'company other',
  tokens: 'other other',
  memberships: 'company other',
  policies: 'other',
  advised: 'other other',
}
const nothing = Object.fromEntries(Object.keys(everything).map(name => [name, '']))
const eventsOf = async (who: typeof admin, target: string, action: string): Promise<Answer['body'][]> =>
  (await call(who, 'GET', `audit-events?target_id=${target}&action=${action}`)).body.items

t.test('a person with everything that one can have', async t => {
  const person = await cast.addPerson(company)
  await proveAddress(person)
  await useWaysIn(person)
  const membership = await becomeGuest(t, person)
  const signedIn = [await cast.signIn(person), await cast.signIn(person, other)]
  t.strictSame(await remains(person), everything)

  await t.test(
    'loses sessions and refresh key when suspended, keeps the rest, and has it when active again',
    async t => {
      t.equal((await call(admin, 'POST', `users/${person.userId}/suspend`)).status, 200)
      t.strictSame(await remains(person), { ...everything, sessions: '', refreshKeys: '' })
      for (const actor of signedIn) t.match(await call(actor, 'GET', 'users'), { body: { code: 'session-ended' } })
      await t.rejects(cast.signIn(person, other), 'nor may they sign in where they are a guest')
      t.equal((await call(admin, 'POST', `users/${person.userId}/activate`)).status, 200)
      const again = await cast.signIn(person, other)
      t.equal((await call(again, 'GET', `users/${stranger.userId}`)).status, 200, 'what the policy permits')
      const { attempts: _reopened, ...kept } = everything
      t.match(await remains(person), { ...kept, sessions: 'other', refreshKeys: '', attempts: '' })
    },
  )

  await t.test('leaves nothing in any tenant when deleted', async t => {
    const deleted = await call(admin, 'DELETE', `users/${person.userId}`)
    t.equal(deleted.status, 204)
    t.strictSame(await remains(person), nothing)
    t.match(await call(stranger, 'GET', `memberships/${membership}`), {
      status: 404,
      body: { code: 'membership-not-found' },
    })
    await t.test('but a row that says nothing, and free addresses', async t => {
      const [row] = await asOwner(
        sql => sql`select status, email, phone, username, name, first_name, last_name, avatar_key, email_verified_at
          from users where id = ${person.userId}`,
      )
      const { status, ...rest } = row ?? {}
      t.equal(status, 'deleted')
      t.ok(Object.values(rest).every(value => value === null))
      t.equal((await call(admin, 'POST', 'users', { email: person.email })).status, 201)
    })
    await t.test('and each tenant has it in its audit', async t => {
      const [atHome] = await eventsOf(admin, person.userId, 'user.deleted')
      t.match(atHome, { actor_id: admin.userId, after: { sessions_ended: 1, guest_memberships_ended: 1 } })
      const [abroad, ...more] = await eventsOf(stranger, membership, 'membership.removed')
      t.match(abroad, { after: { user_id: person.userId, reason: 'user-deleted' }, request_id: atHome?.request_id })
      t.strictSame([abroad?.actor_id, abroad?.session_id, abroad?.ip, more], [null, null, null, []], 'but not by whom')
    })
  })
})

t.test('X-06 who is the last administrator of another tenant is not deleted, and keeps everything', async t => {
  const person = await cast.addPerson(company)
  await useWaysIn(person)
  const tenant = await cast.addTenant()
  await cast.addGuest(other, person)
  await cast.addGuest(tenant, person, ['admin'])
  const actor = await cast.signIn(person, tenant)
  const before = await remains(person)
  const refused = { status: 409, body: { code: 'last-administrator' } }
  t.match(await call(admin, 'DELETE', `users/${person.userId}`), refused)
  t.strictSame(await remains(person), before)
  t.equal((await call(actor, 'GET', 'users')).status, 200)
  await cast.addPerson(tenant, { roles: ['admin'] })
  t.equal((await call(admin, 'DELETE', `users/${person.userId}`)).status, 204, 'when there is another one')
  t.strictSame(await remains(person), nothing)
})

t.test('sixteen invitations that are accepted while the person is deleted leave no membership', async t => {
  const person = await cast.addPerson(company)
  await proveAddress(person)
  const invitations = await Promise.all(
    Array.from({ length: 16 }, async () => {
      const tenant = await cast.addTenant()
      const id = newId<MembershipId>()
      await inTenant(
        database.db,
        tenant,
        ({ sql }) => sql`insert into memberships (tenant_id, id, invited_email, status)
          values (${tenant}, ${id}, ${person.email}, 'invited')`,
      )
      return id
    }),
  )
  const accepting = invitations.map(id => accept(id, person))
  const [deleted, ...accepted] = await Promise.all([call(admin, 'DELETE', `users/${person.userId}`), ...accepting])
  t.equal(deleted.status, 204)
  t.strictSame(await remains(person), nothing)
  const [event] = await eventsOf(admin, person.userId, 'user.deleted')
  t.equal(event?.after.guest_memberships_ended, accepted.filter(tenant => tenant !== null).length)
})

t.test('an invitation that is accepted when the deletion has begun waits for it, and is refused', async t => {
  const person = await cast.addPerson(company)
  await proveAddress(person)
  const { body } = await call(stranger, 'POST', 'memberships', { email: person.email })
  const accepting = await inTenant(database.db, company, async tx => {
    await tx.sql`select end_guest_memberships(${person.userId}, 'user-deleted', null)`
    await tx.sql`update users set status = 'deleted', email = null where tenant_id = ${company} and id = ${person.userId}`
    const waits = asOwner(
      sql =>
        sql<{ tenant: TenantId | null }[]>`select accept_membership(${body.id}, ${person.userId}, '', null) as tenant`,
    )
    const isWaiting = () =>
      asOwner(sql => sql`select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`)
    while ((await isWaiting()).length === 0);
    return { waits }
  })
  t.match(await accepting.waits, [{ tenant: null }])
  t.equal((await remains(person)).memberships, 'company', 'none but that at home, which the test has left')
})

t.test('sixteen who delete a guest while their tenant puts them out: both succeed, and it is audited once', async t => {
  const person = await cast.addPerson(company)
  const membership = await cast.addGuest(other, person)
  await cast.signIn(person, other)
  const answers = await Promise.all(
    Array.from({ length: 16 }, (_, index) =>
      index % 2 === 0
        ? call(admin, 'DELETE', `users/${person.userId}`)
        : call(stranger, 'DELETE', `memberships/${membership}`),
    ),
  )
  t.ok(
    answers.every(({ status }) => [204, 404, 409].includes(status)),
    answers.map(({ status }) => status).join(' '),
  )
  t.equal(answers.filter(({ status }, index) => index % 2 === 0 && status === 204).length, 1)
  t.strictSame(await remains(person), nothing)
  t.equal((await eventsOf(stranger, membership, 'membership.removed')).length, 1)
})
