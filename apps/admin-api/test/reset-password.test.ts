import { inTenant, withAdminClient } from '@signet/db'
import type { MessageId } from '@signet/kernel'
import t from 'tap'
import { createWorld } from './world.ts'

const world = await createWorld(t)
const { database, cast, company, other, admin, staff, call, deps } = world
const reset = (who: typeof admin, id: string, headers: Record<string, string> = {}) =>
  call(who, 'POST', `users/${id}/reset-password`, undefined, headers)
const asOwner = <T>(work: Parameters<typeof withAdminClient<T>>[1]) => withAdminClient(database.superUrl, work)
const credentialOf = (id: string) =>
  asOwner(
    async sql =>
      (
        await sql<{ hash: string; must_change: boolean }[]>`
          select hash, must_change from password_credentials where user_id = ${id}`
      )[0],
  )
const countersOf = (id: string) =>
  asOwner(async sql => [
    ...(await sql<{ kind: string }[]>`select kind from account_counters where subject = ${id} order by kind`),
  ])
/** What strangers and the person's own device have left behind by failing. */
async function lock(id: string): Promise<void> {
  await asOwner(
    sql => sql`
      insert into account_counters (tenant_id, subject, kind, failures, taken)
      select ${company}, ${id}, kind, 101, 11 from unnest(array['password', 'refresh-key', 'code', 'asked']) kind`,
  )
  await asOwner(
    sql => sql`
      insert into known_devices (tenant_id, user_id, fingerprint, failures, taken) values (${company}, ${id}, '\\x01', 100, 11)`,
  )
}
const devicesOf = (id: string) =>
  asOwner(async sql => [...(await sql`select failures, taken from known_devices where user_id = ${id}`)])

t.test('an administrator resets a password', async t => {
  const person = await cast.addActor(company)
  const { userId } = person
  await asOwner(async sql => {
    await sql`insert into password_credentials (tenant_id, user_id, hash) values (${company}, ${userId}, 'old')`
    await sql`insert into refresh_keys (tenant_id, user_id, hash) values (${company}, ${userId}, 'key')`
  })
  await lock(userId)
  const answer = await reset(admin, userId)
  await t.test('which is shown once, of twelve characters that nobody takes for another', async t => {
    t.equal(answer.status, 200)
    t.same(Object.keys(answer.body), ['temporary_password'])
    t.match(answer.body.temporary_password, /^[A-HJ-NP-Za-km-np-z2-9]{12}$/)
    t.equal(answer.headers['cache-control'], 'no-store')
    const credential = await credentialOf(userId)
    t.equal(credential?.must_change, true)
    t.equal(await deps.hasher.verify(credential?.hash ?? '', answer.body.temporary_password), true)
  })
  await t.test('ends all sessions, takes the refresh key away, and opens what failures have locked', async t => {
    t.match(await call(person, 'GET', `users/${userId}`), { status: 401, body: { code: 'session-ended' } })
    const keys = await asOwner(async sql => [...(await sql`select 1 from refresh_keys where user_id = ${userId}`)])
    t.equal(keys.length, 0)
    t.same(await countersOf(userId), [{ kind: 'asked' }], 'how often codes were asked for stays counted')
    t.same(await devicesOf(userId), [{ failures: 0, taken: 0 }])
  })
  await t.test('is audited and told to the person, without the password', async t => {
    const events = await inTenant(
      database.db,
      company,
      ({ sql }) => sql<{ action: string; actor_id: string; text: string }[]>`
        select action, actor_id, audit_events::text as text from audit_events where target_id = ${userId}`,
    )
    t.match(events, [{ action: 'password.reset', actor_id: admin.userId }])
    const messages = await asOwner(async sql => [
      ...(await sql<{ id: MessageId; template: string; payload: Buffer }[]>`
        select id, template, payload from outbound_messages where recipient = ${person.email}`),
    ])
    t.match(messages, [{ template: 'password-changed' }])
    const said = messages.map(({ id, payload }) => deps.outbox.unseal(id, payload))
    for (const text of [JSON.stringify(events), JSON.stringify(said)]) t.notMatch(text, answer.body.temporary_password)
  })
  await t.test('lets the person act on nothing until it is changed', async t => {
    const again = await cast.signIn(person)
    t.match(await call(again, 'GET', 'users'), { status: 403, body: { code: 'password-change-required' } })
  })
  await t.test('anew each time, also with an Idempotency-Key, under which nothing is kept', async t => {
    const headers = { 'idempotency-key': 'reset-1' }
    const [one, two] = [await reset(admin, userId, headers), await reset(admin, userId, headers)]
    t.not(one.body.temporary_password, two.body.temporary_password)
    const kept = await asOwner(async sql => [...(await sql`select 1 from idempotency_keys`)])
    t.equal(kept.length, 0)
  })
  await t.test('of whoever has none, and of one of sixteen at once', async t => {
    const { userId: id } = await cast.addPerson(company)
    const answers = await Promise.all(Array.from({ length: 16 }, () => reset(admin, id)))
    const made = answers.filter(({ status }) => status === 200)
    t.equal(made.length, 16)
    const hash = (await credentialOf(id))?.hash ?? ''
    const right = await Promise.all(made.map(({ body }) => deps.hasher.verify(hash, body.temporary_password)))
    t.equal(right.filter(Boolean).length, 1, 'the last one counts')
  })
})

t.test('X-02 nobody resets the password', async t => {
  await t.test('of themselves, by whatever token of theirs', async t => {
    for (const who of [admin, staff]) {
      t.match(await reset(who, who.userId), { status: 403, body: { code: 'forbidden', detail: /me\/password/ } })
      t.equal(await credentialOf(who.userId), undefined)
    }
  })
  await t.test('of one who holds more, of platform staff, or of a guest', async t => {
    const helpdesk = await cast.addActor(company, { permissions: ['users:read', 'users:modify'] })
    t.match(await reset(helpdesk, admin.userId), { status: 403, body: { code: 'forbidden' } })
    const colleague = await cast.addPerson(company)
    await cast.addGuest(world.platform, colleague, ['super_admin'])
    t.match(await reset(admin, colleague.userId), { status: 403, body: { detail: /platform staff/ } })
    const guest = await cast.addPerson(other)
    await cast.addGuest(company, guest)
    t.match(await reset(admin, guest.userId), { status: 404, body: { code: 'user-not-found' } })
    for (const id of [admin.userId, colleague.userId, guest.userId]) t.equal(await credentialOf(id), undefined)
    t.equal((await reset(helpdesk, (await cast.addPerson(company)).userId)).status, 200, 'and of others they may')
  })
})

t.test('O-06 an administrator opens a way in that failures have locked', async t => {
  for (const isSuspended of [true, false]) {
    const { userId } = await cast.addPerson(company)
    await lock(userId)
    if (isSuspended) await call(admin, 'POST', `users/${userId}/suspend`)
    t.match(await call(admin, 'POST', `users/${userId}/activate`), { status: 200, body: { status: 'active' } })
    t.same(await countersOf(userId), [{ kind: 'asked' }])
    t.same(await devicesOf(userId), [{ failures: 0, taken: 0 }])
    t.equal((await call(admin, 'POST', `users/${userId}/activate`)).status, 200, 'and again')
  }
})
