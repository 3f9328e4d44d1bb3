import { newId } from '@signet/kernel'
import t from 'tap'
import { createTokenCallers } from './client-token-callers.ts'
import { password, testApp, type Tokens } from './test-app.ts'

const a = await testApp(t, { deps: { sendsEvents: true } })
const { claimsOf, refresh, redeem, me, eventsOf, giveRole, takeRole, pair } = createTokenCallers(a)

t.test('R-08 a session in which an advisor acts ends at once', async t => {
  const cases: [name: string, act: (p: Awaited<ReturnType<typeof pair>>) => Promise<unknown>][] = [
    [
      'when the client is taken away',
      p => a.asOwner(sql => sql`delete from advisor_clients where advisor_id = ${p.advisor.id}`),
    ],
    ['when the role is taken away', p => takeRole(p.advisor.id, 'advisor')],
    ['when the advisor leaves', p => a.asOwner(sql => sql`delete from memberships where user_id = ${p.advisor.id}`)],
    ['when the client leaves', p => a.asOwner(sql => sql`delete from memberships where user_id = ${p.client.id}`)],
    [
      'when the advisor is suspended',
      p => a.asOwner(sql => sql`update users set status = 'suspended' where id = ${p.advisor.id}`),
    ],
    [
      'when the client is suspended',
      p => a.asOwner(sql => sql`update users set status = 'suspended' where id = ${p.client.id}`),
    ],
    ['X-02 when the client holds more', p => giveRole(p.client.id, 'admin')],
    [
      'when the advisor changes the password',
      p =>
        a.call('PUT', '/api/v1/me/password', {
          token: p.advisor.tokens.access_token,
          body: { current_password: password, new_password: 'nine blue herons' },
        }),
    ],
  ]
  for (const [name, act] of cases) {
    await t.test(name, async t => {
      const p = await pair()
      const acting = (await redeem(await p.token())).body
      t.equal((await me(acting)).status, 200)
      await act(p)
      t.match(await me(acting), { status: 401, body: { code: 'session-ended' } })
      t.match(await refresh(acting), { status: 401, body: { code: 'session-ended' } })
    })
  }
  await t.test('also when it is being opened at that moment', async t => {
    for (let round = 0; round < 5; round += 1) {
      const { advisor, client, token } = await pair()
      const texts = await Promise.all(Array.from({ length: 4 }, () => token()))
      await Promise.all([
        ...texts.map(text => redeem(text)),
        a.asOwner(sql => sql`delete from advisor_clients where advisor_id = ${advisor.id}`),
      ])
      const [row] = await a.asOwner(
        sql =>
          sql`select count(*)::int as live from sessions where user_id = ${client.id} and act_sub is not null and ended_at is null`,
      )
      t.equal(row?.['live'], 0)
    }
  })
})

t.test('who acts for a client', async t => {
  const { advisor, client, token } = await pair()
  const acting: Tokens = (await redeem(await token())).body
  const call = (method: 'POST' | 'PUT' | 'PATCH' | 'DELETE', path: string, body?: object) =>
    a.call(method, path, { token: acting.access_token, ...(body === undefined ? {} : { body }) })
  await t.test('changes nothing of how they get in', async t => {
    const calls = [
      ['PUT', '/api/v1/me/password', { current_password: password, new_password: 'nine blue herons' }],
      ['DELETE', '/api/v1/sessions', undefined],
      ['DELETE', `/api/v1/sessions/${claimsOf(client.tokens).sid}`, undefined],
      ['POST', `/api/v1/me/memberships/${newId()}/accept`, undefined],
    ] as const
    for (const [method, path, body] of calls)
      t.match(await call(method, path, body), { status: 403, body: { code: 'acting-for-somebody' } }, path)
    t.match(await call('POST', '/api/v1/tokens/tenant', { tenant_id: a.company }), {
      status: 404,
      body: { code: 'tenant-not-found' },
    })
    t.equal((await refresh(client.tokens)).status, 200)
  })
  await t.test('is named in the events of what they do', async t => {
    const changed = await call('PATCH', '/api/v1/me', { name: 'Called anew' })
    t.match(changed, { status: 200, body: { id: client.id, name: 'Called anew' } })
    t.match(await eventsOf(changed), [{ action: 'user.modified', actor_id: advisor.id, target_id: client.id }])
  })
  await t.test('signs out by the session’s own token', async t => {
    t.equal((await a.post('/api/v1/tokens/revoke', { refresh_token: acting.refresh_token })).status, 204)
    t.match(await refresh(acting), { status: 401, body: { code: 'session-ended' } })
  })
})
