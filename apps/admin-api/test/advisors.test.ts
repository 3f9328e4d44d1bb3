import { randomBytes } from 'node:crypto'
import { inTenant, runStatement } from '@signet/db'
import { newId, type RoleId, type SessionId } from '@signet/kernel'
import type { TestActor, TestPerson } from '@signet/testkit'
import t from 'tap'
import { type Answer, createWorld } from './world.ts'

const world = await createWorld(t)
const { database, cast, company, other, admin, issuer, call } = world

const anAdvisor = (permissions: string[] = []) => cast.addPerson(company, { roles: ['advisor'], permissions })
const path = (advisor: TestPerson, client: TestPerson) => `advisors/${advisor.userId}/clients/${client.userId}`
const clientsOf = async (advisor: TestPerson): Promise<string[]> =>
  (await call(admin, 'GET', `advisors/${advisor.userId}/clients`)).body.items.map(
    (item: { user_id: string }) => item.user_id,
  )
const eventsOf = (answer: Answer) =>
  inTenant(
    database.db,
    company,
    ({ sql }) => sql<{ action: string; actor: string; target: string; before: object | null; after: object | null }[]>`
      select action, actor_id as actor, target_id as target, before, after from audit_events
      where request_id = ${String(answer.headers['x-request-id'])}`,
  )

/** A session of the client in which the advisor acts, opened as the redemption of a client token opens it. */
async function actFor(advisor: TestPerson, client: TestPerson): Promise<TestActor> {
  const sessionId = newId<SessionId>()
  const opened = await runStatement(
    database.db,
    sql => sql`
      select from open_session(${sessionId}, ${client.userId}, ${company}, null, ${randomBytes(32)}, array['adv'], interval '1 day',
        interval '1 day', 'session.opened', '192.0.2.1', 'testkit', ${newId()}, 'client-token', null, ${advisor.userId})`,
  )
  if (opened.count !== 1) throw new Error('This advisor may not act for this client.')
  const token = issuer.token({ sub: client.userId, tid: company, sid: sessionId, act: { sub: advisor.userId } })
  return { ...client, actingIn: company, sessionId, token, headers: { authorization: `Bearer ${token}` } }
}
const endOf = async ({ sessionId }: TestActor): Promise<string | null> => {
  const rows = await inTenant(
    database.db,
    company,
    ({ sql }) => sql<{ end_reason: string | null }[]>`select end_reason from sessions where id = ${sessionId}`,
  )
  return rows[0]?.end_reason ?? null
}

t.test('clients of an advisor', async t => {
  const advisor = await anAdvisor()
  const first = await cast.addPerson(company)
  const guest = await cast.addPerson(other)
  await cast.addGuest(company, guest)
  await t.test('are assigned once, however often it is asked, and guests too', async t => {
    const answers = await Promise.all(Array.from({ length: 16 }, () => call(admin, 'PUT', path(advisor, first))))
    for (const answer of answers) t.equal(answer.status, 204, answer.text)
    const events = (await Promise.all(answers.map(eventsOf))).flat()
    t.match(events, [
      {
        action: 'advisor.client-assigned',
        actor: admin.userId,
        target: first.userId,
        after: { advisor_id: advisor.userId },
      },
    ])
    t.equal(events.length, 1)
    t.equal((await call(admin, 'PUT', path(advisor, guest))).status, 204)
  })
  await t.test('are listed with their names, the latest first, in pages', async t => {
    const { status, body } = await call(admin, 'GET', `advisors/${advisor.userId}/clients?count=true`)
    t.equal(status, 200)
    t.match(body, {
      total: 2,
      next_cursor: null,
      items: [
        { user_id: guest.userId, email: guest.email, assigned_at: /Z$/ },
        { user_id: first.userId, email: first.email },
      ],
    })
    const page = await call(admin, 'GET', `advisors/${advisor.userId}/clients?limit=1&sort=assigned_at`)
    t.match(page.body.items, [{ user_id: first.userId }])
    t.match(page.headers['link'], /rel="next"/)
    const cursor = page.body.next_cursor
    const next = await call(
      admin,
      'GET',
      `advisors/${advisor.userId}/clients?limit=1&sort=assigned_at&cursor=${cursor}`,
    )
    t.match(next.body, { items: [{ user_id: guest.userId }], next_cursor: null })
    const foreign = await anAdvisor()
    const wrong = await call(
      admin,
      'GET',
      `advisors/${foreign.userId}/clients?limit=1&sort=assigned_at&cursor=${cursor}`,
    )
    t.match(wrong, { status: 400, body: { code: 'invalid-cursor' } }, 'I-04 a cursor is of one advisor')
  })
  await t.test('are taken away, however often it is asked', async t => {
    const gone = await call(admin, 'DELETE', path(advisor, first))
    t.equal(gone.status, 204)
    t.match(await eventsOf(gone), [
      { action: 'advisor.client-removed', target: first.userId, before: { advisor_id: advisor.userId } },
    ])
    const again = await call(admin, 'DELETE', path(advisor, first))
    t.equal(again.status, 204)
    t.equal((await eventsOf(again)).length, 0)
    t.strictSame(await clientsOf(advisor), [guest.userId])
  })
  await t.test('go with their membership, and with the advisor’s', async t => {
    const membershipId = (await call(admin, 'GET', `memberships?user_id=${guest.userId}`)).body.items[0].id
    t.equal((await call(admin, 'DELETE', `memberships/${membershipId}`)).status, 204)
    t.strictSame(await clientsOf(advisor), [])
  })
})

t.test('who may advise whom', async t => {
  const advisor = await anAdvisor()
  const client = await cast.addPerson(company)
  const stranger = await cast.addPerson(other)
  await t.test('is a matter of the role and of memberships here', async t => {
    const notFound = (code: string) => ({ status: 404, body: { code } })
    t.match(await call(admin, 'PUT', path(client, advisor)), notFound('advisor-not-found'), 'a member without the role')
    t.match(await call(admin, 'GET', `advisors/${client.userId}/clients`), notFound('advisor-not-found'))
    t.match(await call(admin, 'PUT', path(stranger, client)), notFound('advisor-not-found'))
    t.match(await call(admin, 'PUT', path(advisor, stranger)), notFound('user-not-found'))
    t.match(await call(admin, 'DELETE', path(advisor, stranger)), notFound('user-not-found'))
    t.match(await call(admin, 'DELETE', path(stranger, client)), notFound('advisor-not-found'))
    t.match(await call(admin, 'PUT', path(advisor, advisor)), { status: 400, body: { code: 'invalid-input' } })
    t.strictSame(await clientsOf(advisor), [])
  })
  await t.test('X-02 nobody assigns whoever holds more than they do', async t => {
    const clerk = await cast.addActor(company, { permissions: ['advisors:list', 'advisors:modify'] })
    const strong = await cast.addPerson(company, { permissions: ['audit-events:read'] })
    const refused = await call(clerk, 'PUT', path(advisor, strong))
    t.match(refused, { status: 403, body: { code: 'forbidden', detail: /audit-events:read/ } })
    t.strictSame(await clientsOf(advisor), [])
    t.equal((await call(clerk, 'PUT', path(advisor, client))).status, 204)
    t.equal((await call(clerk, 'DELETE', path(advisor, client))).status, 204)
  })
  await t.test('X-01 is not the advisor’s own to say', async t => {
    const self = await cast.addActor(company, { roles: ['advisor'] })
    for (const method of ['PUT', 'DELETE'] as const)
      t.match(await call(self, method, path(self, client)), { status: 403, body: { code: 'forbidden' } })
  })
  await t.test('works for whoever has lost the role only in the other direction', async t => {
    const [row] = (await call(admin, 'GET', 'roles')).body.items.filter(
      ({ name }: { name: string }) => name === 'advisor',
    ) as { id: RoleId }[]
    await call(admin, 'PUT', path(advisor, client))
    t.equal((await call(admin, 'DELETE', `users/${advisor.userId}/roles/${row?.id}`)).status, 204)
    t.match(await call(admin, 'PUT', path(advisor, client)), { status: 404, body: { code: 'advisor-not-found' } })
    t.equal((await call(admin, 'DELETE', path(advisor, client))).status, 204)
  })
})

t.test('R-08 a session in which an advisor acts', async t => {
  const permissions = ['users:read', 'users:modify']
  const advisorRole = (await call(admin, 'GET', 'roles')).body.items.find(
    ({ name }: { name: string }) => name === 'advisor',
  ).id
  const acting = async () => {
    const [advisor, client] = [await anAdvisor(permissions), await cast.addPerson(company, { permissions })]
    t.equal((await call(admin, 'PUT', path(advisor, client))).status, 204)
    return { advisor, client, session: await actFor(advisor, client) }
  }
  await t.test('works here, and what is done in it is the advisor’s doing', async t => {
    const { advisor, client, session } = await acting()
    const changed = await call(session, 'PATCH', `users/${client.userId}`, { name: 'Called anew' })
    t.equal(changed.status, 200, changed.text)
    t.match(await eventsOf(changed), [{ action: 'user.modified', actor: advisor.userId, target: client.userId }])
  })
  await t.test('ends when the client is taken away', async t => {
    const { advisor, client, session } = await acting()
    t.equal((await call(admin, 'DELETE', path(advisor, client))).status, 204)
    t.match(await call(session, 'GET', `users/${client.userId}`), { status: 401, body: { code: 'session-ended' } })
    t.equal(await endOf(session), 'client-removed')
  })
  await t.test('ends when the role is taken away', async t => {
    const { advisor, client, session } = await acting()
    t.equal((await call(admin, 'DELETE', `users/${advisor.userId}/roles/${advisorRole}`)).status, 204)
    t.match(await call(session, 'GET', `users/${client.userId}`), { status: 401, body: { code: 'session-ended' } })
    t.equal(await endOf(session), 'role-withdrawn')
  })
  await t.test('ends when the advisor is suspended, wherever they are at home', async t => {
    const { advisor, client, session } = await acting()
    t.equal((await call(admin, 'POST', `users/${advisor.userId}/suspend`)).status, 200)
    t.match(await call(session, 'GET', `users/${client.userId}`), { status: 401, body: { code: 'session-ended' } })
    t.equal(await endOf(session), 'user-suspended')
  })
  await t.test('ends for nobody else', async t => {
    const [one, two] = [await acting(), await acting()]
    t.equal((await call(admin, 'DELETE', path(one.advisor, one.client))).status, 204)
    t.equal((await call(two.session, 'GET', `users/${two.client.userId}`)).status, 200)
  })
})
