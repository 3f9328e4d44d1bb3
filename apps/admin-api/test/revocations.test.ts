/** Whatever the administration does that ends sessions sets their bits in the same transaction, and every issuer hears of it. */
import { listenForNotices, withAdminClient } from '@signet/db'
import { newId } from '@signet/kernel'
import type { TestActor } from '@signet/testkit'
import t from 'tap'
import { type Answer, createWorld } from './world.ts'

const { database, cast, company, admin, staff, call } = await createWorld(t)
const asOwner = <T>(work: Parameters<typeof withAdminClient<T>>[1]) => withAdminClient(database.superUrl, work)

const heard = new Set<string>()
const listening = Promise.withResolvers<void>()
const notices = listenForNotices(database.db, {
  channels: ['signet_revoked'],
  onNotice: (_channel, payload) => {
    const { list, indexes } = JSON.parse(payload) as { list: number; indexes: number[] }
    for (const index of indexes) heard.add(`${list} ${index}`)
  },
  onListening: async () => listening.resolve(),
  onLost: error => listening.reject(error),
})
t.teardown(() => notices.close())
await listening.promise

/** As the issuer reads the list: the indexes of ended sessions, four bytes each. */
async function bitOf({ sessionId }: Pick<TestActor, 'sessionId'>) {
  const [row] = await asOwner(
    sql => sql<{ name: string; index: number; indexes: Buffer }[]>`
      select status_list || ' ' || status_index as name, status_index as index, load_status_list(status_list) as indexes
      from sessions where id = ${sessionId}`,
  )
  if (row === undefined) throw new Error('There is no such session.')
  const { name, index, indexes } = row
  const ended = Array.from({ length: indexes.length / 4 }, (_, at) => indexes.readInt32BE(at * 4))
  return { name, isSet: ended.includes(index) }
}

/** Waits for what is told by itself. */
async function until(isSo: () => boolean): Promise<void> {
  const deadline = performance.now() + 10_000
  while (!isSo()) {
    if (performance.now() > deadline) throw new Error('It did not happen within ten seconds.')
    await new Promise(resolve => setTimeout(resolve, 5))
  }
}

const ok = ({ status, text }: Answer) => {
  if (status >= 300) throw new Error(`${status} ${text}`)
}
const guestOf = async () => {
  const tenant = await cast.addTenant()
  const person = await cast.addPerson(tenant)
  const membership = await cast.addGuest(company, person)
  return { membership, tenant, session: await cast.signIn(person, company), person }
}

/** Each gives the session that it has ended. */
const ways: Readonly<Record<string, () => Promise<TestActor>>> = {
  'ending one session of a person': async () => {
    const person = await cast.addActor(company)
    ok(await call(admin, 'DELETE', `users/${person.userId}/sessions/${person.sessionId}`))
    return person
  },
  'ending all of them': async () => {
    const person = await cast.addActor(company)
    ok(await call(admin, 'DELETE', `users/${person.userId}/sessions`))
    return person
  },
  'suspending a person': async () => {
    const person = await cast.addActor(company)
    ok(await call(admin, 'POST', `users/${person.userId}/suspend`))
    return person
  },
  'deleting a person': async () => {
    const person = await cast.addActor(company)
    ok(await call(admin, 'DELETE', `users/${person.userId}`))
    return person
  },
  'resetting a password': async () => {
    const person = await cast.addActor(company)
    ok(await call(admin, 'POST', `users/${person.userId}/reset-password`))
    return person
  },
  'removing a membership': async () => {
    const { membership, session } = await guestOf()
    ok(await call(admin, 'DELETE', `memberships/${membership}`))
    return session
  },
  'deleting a guest at home': async () => {
    const { tenant, session, person } = await guestOf()
    const administrator = await cast.addActor(tenant, { roles: ['admin'] })
    ok(await call(administrator, 'DELETE', `users/${person.userId}`))
    return session
  },
  'closing a tenant': async () => {
    const tenant = await cast.addTenant()
    const person = await cast.addActor(tenant)
    ok(await call(staff, 'PATCH', `tenants/${tenant}`, { status: 'suspended' }, { 'if-match': '*' }))
    return person
  },
  'suspending a client, for its sub-clients': async () => {
    const client = await cast.addPerson(company, { kind: 'client' })
    const desk = await cast.addActor(company, { clientId: client.userId })
    ok(await call(admin, 'POST', `clients/${client.userId}/suspend`))
    return desk
  },
  'taking a client away from an advisor': async () => {
    const advisor = await cast.addPerson(company, { roles: ['advisor'] })
    const client = await cast.addActor(company)
    ok(await call(admin, 'PUT', `advisors/${advisor.userId}/clients/${client.userId}`))
    await asOwner(sql => sql`update sessions set act_sub = ${advisor.userId} where id = ${client.sessionId}`)
    ok(await call(admin, 'DELETE', `advisors/${advisor.userId}/clients/${client.userId}`))
    return client
  },
  'taking the role of an advisor away': async () => {
    const advisor = await cast.addPerson(company, { roles: ['advisor'] })
    const client = await cast.addActor(company)
    ok(await call(admin, 'PUT', `advisors/${advisor.userId}/clients/${client.userId}`))
    await asOwner(sql => sql`update sessions set act_sub = ${advisor.userId} where id = ${client.sessionId}`)
    const [role] = await asOwner(
      sql => sql<{ id: string }[]>`select id from roles where tenant_id = ${company} and name = 'advisor'`,
    )
    ok(await call(admin, 'DELETE', `users/${advisor.userId}/roles/${role?.id}`))
    return client
  },
}

for (const [name, end] of Object.entries(ways)) {
  t.test(`${name} sets the bit of each session that it ends`, async t => {
    const bit = await bitOf(await end())
    t.equal(bit.isSet, true)
    await until(() => heard.has(bit.name))
  })
}

t.test('what is refused or rolled back sets none', async t => {
  const person = await cast.addActor(company)
  const bystander = await cast.addActor(company)
  t.equal((await call(person, 'POST', `users/${bystander.userId}/suspend`)).status, 403)
  t.equal((await call(admin, 'DELETE', `users/${bystander.userId}/sessions/${newId()}`)).status, 404)
  ok(await call(admin, 'DELETE', `users/${person.userId}/sessions`))
  await until(() => heard.size > Object.keys(ways).length)
  const bit = await bitOf(bystander)
  t.equal(bit.isSet, false)
  t.equal(heard.has(bit.name), false)
})
