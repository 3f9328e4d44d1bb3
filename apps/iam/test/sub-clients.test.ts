/** What a sub-client finds at the issuer while its client is suspended. */
import { inTenant } from '@signet/db'
import type { UserId } from '@signet/kernel'
import t from 'tap'
import { type Answer, comparableHeaders, password, testApp } from './test-app.ts'

const a = await testApp(t)

/** As the administration writes it: the database takes the sub-clients along. */
const setStatus = (id: UserId, status: 'active' | 'suspended') =>
  inTenant(
    a.database.db,
    a.company,
    ({ sql }) => sql`update users set status = ${status} where tenant_id = ${a.company} and id = ${id}`,
  )

const register = async (name: string): Promise<UserId> => {
  const { id } = await a.register({ email: `${name}@example.com` })
  return id as UserId
}

const comparable = (answer: Answer) => ({
  status: answer.status,
  headers: comparableHeaders(answer),
  text: answer.text.replaceAll(String(answer.headers['x-request-id']), '<id>'),
})

const client = await register('north')
const desk = await register('north-desk')
await inTenant(a.database.db, a.company, async ({ sql }) => {
  await sql`update users set kind = 'client' where id = ${client}`
  await sql`update users set kind = 'sub_client', parent_id = ${client} where id = ${desk}`
})
const signIn = (secret: string, email = 'north-desk@example.com') =>
  a.post('/api/v1/tokens', { identifier: email, password: secret })

t.test('a sub-client of a suspended client', async t => {
  const before = await a.signIn('north-desk@example.com')
  await setStatus(client, 'suspended')

  await t.test('is refused with the right password as with a wrong one, and as a stranger', async t => {
    const right = comparable(await signIn(password))
    t.match(right, { status: 401, text: /"code":"invalid-credentials"/ })
    t.strictSame(comparable(await signIn('a loud red harbour')), right)
    t.strictSame(comparable(await signIn(password, 'nobody@example.com')), right)
    const [event] = await a.asOwner(
      sql =>
        sql`select after from audit_events where action = 'sign-in.failed' and target_id = ${desk} order by id limit 1`,
    )
    t.match(event, { after: { reason: 'user-suspended' } }, 'the log says why')
  })
  await t.test('has no session any more', async t => {
    const ended = { status: 401, body: { code: 'session-ended' } }
    t.match(await a.post('/api/v1/tokens/refresh', { refresh_token: before.refresh_token }), ended)
    t.match(await a.call('GET', '/api/v1/me', { token: before.access_token }), ended)
  })
  await t.test('signs in again when the client is active, into a session of its own', async t => {
    await setStatus(client, 'active')
    const again = await a.signIn('north-desk@example.com')
    t.equal((await a.post('/api/v1/tokens/refresh', { refresh_token: again.refresh_token })).status, 200)
    t.match(await a.post('/api/v1/tokens/refresh', { refresh_token: before.refresh_token }), { status: 401 })
  })
  await t.test('stays out when it was suspended itself meanwhile', async t => {
    await setStatus(client, 'suspended')
    await a.asOwner(sql => sql`update users set is_suspended_with_client = false where id = ${desk}`)
    await setStatus(client, 'active')
    t.match(await signIn(password), { status: 401, body: { code: 'invalid-credentials' } })
    t.ok(await a.signIn('north@example.com'), 'the client itself is back')
  })
})
