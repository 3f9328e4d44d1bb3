/** What ends when, in a person's life: `docs/people.md` says it, and this walks through it. */
import { inTenant } from '@signet/db'
import { newId } from '@signet/kernel'
import type { TestActor } from '@signet/testkit'
import t from 'tap'
import { type Answer, createWorld } from './world.ts'

const world = await createWorld(t)
const { database, cast, company, other, admin, call } = world

const reasonOf = async ({ actingIn, sessionId }: TestActor) => {
  const [row] = await inTenant(
    database.db,
    actingIn,
    ({ sql }) => sql<{ why: string | null }[]>`select end_reason as why from sessions where id = ${sessionId}`,
  )
  return row?.why
}
const idsOf = ({ body }: Answer) => body.items.map((item: { id: string }) => item.id)

t.test('the sessions of a person are listed and ended by whoever administers them', async t => {
  const person = await cast.addPerson(company)
  await cast.addGuest(other, person)
  const [old, elsewhere, last] = [
    await cast.signIn(person),
    await cast.signIn(person, other),
    await cast.signIn(person),
  ]
  const path = `users/${person.userId}/sessions`
  const first = await call(admin, 'GET', `${path}?limit=2`)
  t.strictSame(idsOf(first), [last.sessionId, elsewhere.sessionId])
  t.match(first.body.items[1], { tenant_id: other, amr: ['pwd'], act: null })
  const rest = await call(admin, 'GET', `${path}?limit=2&cursor=${first.body.next_cursor}`)
  t.strictSame([idsOf(rest), rest.body.next_cursor], [[old.sessionId], null])

  t.equal((await call(admin, 'DELETE', `${path}/${elsewhere.sessionId}`)).status, 204, 'wherever it is')
  t.match(await call(elsewhere, 'GET', 'users'), { status: 401, body: { code: 'session-ended' } })
  t.equal(await reasonOf(elsewhere), 'ended-by-administrator')
  const gone = { status: 404, body: { code: 'session-not-found' } }
  t.match(await call(admin, 'DELETE', `${path}/${elsewhere.sessionId}`), gone, 'once')
  t.match(await call(admin, 'DELETE', `${path}/${admin.sessionId}`), gone, 'none of somebody else')
  t.equal((await call(admin, 'DELETE', path)).status, 204)
  t.strictSame(idsOf(await call(admin, 'GET', path)), [])
  t.equal(await reasonOf(old), 'ended-by-administrator')

  await t.test('X-02 but not of somebody who holds more than they do', async t => {
    const helper = await cast.addActor(company, { permissions: ['users:read', 'users:modify'] })
    const own = `users/${admin.userId}/sessions`
    for (const end of [own, `${own}/${admin.sessionId}`])
      t.match(await call(helper, 'DELETE', end), { status: 403, body: { code: 'forbidden' } }, end)
    t.equal((await call(helper, 'GET', own)).status, 200, 'though they see them')
  })
  await t.test('sixteen times at once: one ends it', async t => {
    const { sessionId } = await cast.signIn(person)
    const tries = Array.from({ length: 16 }, () => call(admin, 'DELETE', `${path}/${sessionId}`))
    const statuses = (await Promise.all(tries)).map(({ status }) => status)
    t.strictSame(
      statuses.toSorted((a, b) => a - b),
      [204, ...Array.from({ length: 15 }, () => 404)],
    )
  })
})

t.test('suspended, active again, deleted: each ends what it says', async t => {
  const role = await cast.addRole(company, ['users:list'])
  const person = await cast.addActor(company, { roles: ['advisor'] })
  const advised = await cast.addPerson(company)
  await call(admin, 'PUT', `users/${person.userId}/roles/${role}`)
  await call(admin, 'PUT', `advisors/${person.userId}/clients/${advised.userId}`)
  const source = 'permit (principal == ?principal, action == Action::"users:read", resource);'
  const policy = await call(admin, 'POST', 'policies', { name: `p ${newId()}`, source })
  t.equal((await call(admin, 'PUT', `users/${person.userId}/policies/${policy.body.id}`)).status, 204)
  const count = async (table: string, column: string) => {
    const [row] = await inTenant(
      database.db,
      company,
      ({ sql }) => sql<{ n: number }[]>`
        select count(*)::int as n from ${sql(table)} where ${sql(column)} = ${person.userId}`,
    )
    return row?.n
  }

  t.equal((await call(admin, 'POST', `users/${person.userId}/suspend`)).status, 200)
  t.match(await call(person, 'GET', 'users'), { status: 401, body: { code: 'session-ended' } })
  await t.rejects(cast.signIn(person), 'may not sign in')
  t.equal(await count('policy_attachments', 'user_id'), 1, 'a suspended person keeps what they hold')
  t.equal((await call(admin, 'POST', `users/${person.userId}/activate`)).status, 200)
  const again = await cast.signIn(person)
  t.equal((await call(again, 'GET', 'users')).status, 200, 'and has it when they are back')
  t.match(await call(person, 'GET', 'users'), { status: 401 }, 'in a session of its own')

  t.equal((await call(admin, 'DELETE', `users/${person.userId}`)).status, 204)
  t.match(await call(again, 'GET', 'users'), { status: 401, body: { code: 'session-ended' } })
  t.equal(await reasonOf(again), 'user-deleted')
  t.strictSame(
    await Promise.all([
      count('memberships', 'user_id'),
      count('policy_attachments', 'user_id'),
      count('advisor_clients', 'advisor_id'),
    ]),
    [0, 0, 0],
  )
  t.equal((await call(admin, 'DELETE', `policies/${policy.body.id}`, undefined, { 'if-match': '*' })).status, 204)
  const heir = await call(admin, 'POST', 'users', { email: person.email })
  t.equal(heir.status, 201, 'the address is free again')
})

t.test('X-02 an invitation gives no more than the inviter holds, be it by a policy on everybody', async t => {
  const tenant = await cast.addTenant()
  const keeper = await cast.addActor(tenant, { roles: ['admin'] })
  const inviter = await cast.addActor(tenant, { permissions: ['memberships:create'] })
  const email = `${newId()}@example.test`
  const source = 'permit (principal, action == Action::"users:list", resource) when { principal.kind == "client" };'
  const policy = await call(keeper, 'POST', 'policies', { name: 'everybody', source })
  const refused = await call(inviter, 'POST', 'memberships', { email })
  t.match(refused, { status: 403, body: { code: 'grant-exceeds-own', detail: /users:list/ } })
  await call(keeper, 'DELETE', `policies/${policy.body.id}`, undefined, { 'if-match': '*' })
  t.equal((await call(inviter, 'POST', 'memberships', { email })).status, 202)
})

t.test(
  'X-06 twenty removals at once of the last two administrators, one of them a guest, by every path: one stays',
  async t => {
    for (let round = 1; round <= 10; round += 1) {
      const tenant = await cast.addTenant()
      const keeper = await cast.addActor(tenant, { roles: ['admin'] })
      const person = await cast.addPerson(other)
      const membershipId = await cast.addGuest(tenant, person, ['admin'])
      const guest = await cast.signIn(person, tenant)
      const [role] = (await call(keeper, 'GET', 'roles?name=admin')).body.items
      const paths = [
        [guest, 'DELETE', `users/${keeper.userId}/roles/${role.id}`],
        [keeper, 'DELETE', `memberships/${membershipId}`],
        [guest, 'POST', `users/${keeper.userId}/suspend`],
        [keeper, 'DELETE', `memberships/${membershipId}/roles/${role.id}`],
        [guest, 'DELETE', `users/${keeper.userId}`],
        [guest, 'DELETE', `memberships/${membershipId}`],
        [keeper, 'DELETE', `users/${keeper.userId}`],
      ] as const
      const answers = await Promise.all(
        Array.from({ length: 20 }, (_, index) => {
          const [who, method, path] = paths[(index + round) % paths.length] ?? paths[0]
          return call(who, method, path)
        }),
      )
      t.strictSame(
        answers.filter(({ status }) => status >= 500).map(({ text }) => text),
        [],
      )
      const rests = await Promise.all([keeper, guest].map(who => call(who, 'GET', 'roles')))
      t.equal(rests.filter(({ status }) => status === 200).length, 1, `round ${round}`)
    }
  },
)
