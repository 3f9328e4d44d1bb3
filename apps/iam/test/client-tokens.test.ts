import { createHash } from 'node:crypto'
import t from 'tap'
import { createTokenCallers } from './client-token-callers.ts'
import { testApp } from './test-app.ts'

const a = await testApp(t, { deps: { sendsEvents: true } })
const { url, claimsOf, refresh, redeem, me, comparable, eventsOf, giveRole, takeRole, assign, pair } =
  createTokenCallers(a)

t.test('a client token', async t => {
  const { advisor, client, ask } = await pair()
  const made = await ask({ purpose: 'Tax return', expires_in: 600 })
  await t.test('is shown once and stored as a hash', async t => {
    t.equal(made.status, 201)
    t.equal(made.headers['cache-control'], 'no-store')
    t.match(made.body, { id: /^[\da-f-]{36}$/, token: /^sct_[\w-]{43}$/ })
    const life = Date.parse(made.body.expires_at) - Date.now()
    t.ok(life > 590_000 && life <= 600_000, `${life} ms`)
    const [row] = await a.asOwner(
      sql => sql`select to_jsonb(c) #>> '{}' as text, c.token_hash from client_tokens c where id = ${made.body.id}`,
    )
    t.same(row?.['token_hash'], createHash('sha256').update(made.body.token).digest())
    t.notMatch(row?.['text'], made.body.token)
  })
  await t.test('is audited with its client, without the token, and told to the service that counts', async t => {
    const events = await eventsOf(made)
    t.match(events, [
      {
        action: 'client-token.created',
        tenant_id: a.company,
        actor_id: advisor.id,
        target_type: 'user',
        target_id: client.id,
        after: { client_token_id: made.body.id, kind: 'access', notified: false },
      },
    ])
    t.notMatch(JSON.stringify(events), made.body.token)
    const [event] = await a.messagesTo('analytics')
    t.match(event, {
      template: 'client.token.requested',
      data: { payload: { client_token_id: made.body.id, advisor_id: advisor.id, user_id: client.id } },
    })
    t.notMatch(JSON.stringify(event), made.body.token)
  })
  await t.test('opens a session of the client in which the advisor acts', async t => {
    const answer = await redeem(made.body.token)
    t.equal(answer.status, 200)
    t.equal(answer.headers['cache-control'], 'no-store')
    const claims = claimsOf(answer.body)
    t.match(claims, { sub: client.id, tid: a.company, act: { sub: advisor.id }, amr: ['adv'], roles: ['member'] })
    t.ok(answer.body.refresh_expires_in <= 86_400)
    const next = await refresh(answer.body)
    t.match(claimsOf(next.body), { sub: client.id, act: { sub: advisor.id } }, 'and still after a refresh')
    t.match((await me(next.body)).body, { id: client.id })
    const events = await eventsOf(answer)
    t.match(events, [
      {
        action: 'client-token.redeemed',
        actor_id: advisor.id,
        session_id: claims.sid,
        target_type: 'user',
        target_id: client.id,
        after: { client_token_id: made.body.id, kind: 'access', advisor_id: advisor.id },
      },
      { action: 'session.opened', actor_id: advisor.id, after: { amr: ['adv'], user_id: client.id } },
    ])
    const [row] = await a.asOwner(
      sql =>
        sql`select expires_at - authenticated_at <= interval '24 hours' as brief from sessions where id = ${claims.sid}`,
    )
    t.equal(row?.['brief'], true)
    t.equal(
      (await a.asOwner(sql => sql`select from known_devices where user_id = ${client.id}`)).length,
      1,
      'the device of the client’s own sign-in and no other',
    )
  })
  await t.test('shows the client who acts, and lets them end it', async t => {
    const { body } = await a.call('GET', '/api/v1/sessions', { token: client.tokens.access_token })
    const [acting] = body.items.filter((item: { act: object | null }) => item.act !== null)
    t.match(acting, { amr: ['adv'], act: { sub: advisor.id }, is_current: false })
    const ended = await a.call('DELETE', `/api/v1/sessions/${acting.id}`, { token: client.tokens.access_token })
    t.equal(ended.status, 204)
  })
  await t.test('goes into cookies when asked', async t => {
    const second = await ask()
    const answer = await redeem(second.body.token, { cookies: true })
    t.equal(answer.status, 200)
    t.notOk('access_token' in answer.body || 'refresh_token' in answer.body)
    t.equal([answer.headers['set-cookie']].flat().length, 2)
  })
  await t.test('is mailed to the client when asked, for as long as it lives', async t => {
    const mailed = await ask({ notify: true, purpose: 'Tax return' })
    const [message] = await a.messagesTo(client.email)
    t.match(message, {
      template: 'client-access',
      data: { token: mailed.body.token, advisor: /^advisor \d+$/, purpose: 'Tax return', minutes: 15 },
    })
    t.equal(message?.expires_at?.toISOString(), mailed.body.expires_at)
    const { id } = await a.register({ username: 'without-mail' })
    await assign(advisor.id, id)
    const refused = await a.post(url, { user_id: id, notify: true }, advisor.tokens.access_token)
    t.match(refused, { status: 400, body: { code: 'invalid-input', errors: [{ pointer: '/notify' }] } })
    t.equal((await a.asOwner(sql => sql`select from client_tokens where user_id = ${id}`)).length, 0)
  })
  await t.test('lives between a minute and a day', async t => {
    for (const expires_in of [59, 86_401, 900.5, '900'])
      t.match(await ask({ expires_in }), { status: 400, body: { errors: [{ pointer: '/expires_in' }] } })
    for (const expires_in of [60, 86_400]) t.equal((await ask({ expires_in })).status, 201)
  })
})

t.test('O-04 fifty who redeem one token at once get one session', async t => {
  const { client, token } = await pair()
  const text = await token()
  const answers = await Promise.all(Array.from({ length: 50 }, () => redeem(text)))
  t.equal(answers.filter(({ status }) => status === 200).length, 1)
  const refused = answers.filter(({ status }) => status !== 200)
  for (const answer of refused) t.match(answer, { status: 401, body: { code: 'invalid-client-token' } })
  const [row] = await a.asOwner(
    sql => sql`select count(*)::int as open from sessions where user_id = ${client.id} and act_sub is not null`,
  )
  t.equal(row?.['open'], 1)
  t.match(await eventsOf(refused[0] as (typeof refused)[number]), [
    {
      action: 'client-token.refused',
      tenant_id: a.company,
      target_type: 'client-token',
      after: { reason: 'redeemed' },
    },
  ])
})

t.test('a token that is not good', async t => {
  const { advisor, client, token, ask } = await pair()
  const outcome = async (text: string) => {
    const answer = await redeem(text)
    const [event] = await eventsOf(answer)
    return { answer, event }
  }
  const set = (text: string, change: 'expired' | 'tenant') =>
    a.asOwner(sql => {
      const hash = createHash('sha256').update(text).digest()
      return change === 'expired'
        ? sql`update client_tokens set expires_at = now() where token_hash = ${hash}`
        : sql`update tenants set status = 'suspended' where id = ${a.company}`
    })
  const answers: string[] = []
  await t.test('unknown, withdrawn, expired or spent gets one answer, and the reason is audited', async t => {
    const [withdrawn, expired, spent] = [await ask(), await token(), await token()]
    await a.call('DELETE', `${url}/${withdrawn.body.id}`, { token: advisor.tokens.access_token })
    await set(expired, 'expired')
    t.equal((await redeem(spent)).status, 200)
    const cases = {
      unknown: `sct_${'A'.repeat(43)}`,
      withdrawn: withdrawn.body.token as string,
      expired,
      redeemed: spent,
    }
    for (const [reason, text] of Object.entries(cases)) {
      const { answer, event } = await outcome(text)
      t.match(answer, { status: 401, body: { code: 'invalid-client-token' } }, reason)
      t.match(event, { action: 'client-token.refused', after: { reason }, ip: '127.0.0.1' }, reason)
      t.equal(event?.tenant_id, reason === 'unknown' ? a.platform : a.company)
      answers.push(comparable(answer.text))
    }
  })
  await t.test('R-08 is refused without being spent while somebody has no standing', async t => {
    const text = await token()
    const cases: [reason: string, change: () => Promise<unknown>, back: () => Promise<unknown>][] = [
      [
        'user-suspended',
        () => a.asOwner(sql => sql`update users set status = 'suspended' where id = ${client.id}`),
        () => a.asOwner(sql => sql`update users set status = 'active' where id = ${client.id}`),
      ],
      [
        'advisor-suspended',
        () => a.asOwner(sql => sql`update users set status = 'suspended' where id = ${advisor.id}`),
        () => a.asOwner(sql => sql`update users set status = 'active' where id = ${advisor.id}`),
      ],
      [
        'tenant-suspended',
        () => set(text, 'tenant'),
        () => a.asOwner(sql => sql`update tenants set status = 'active' where id = ${a.company}`),
      ],
      ['grant-exceeds-own', () => giveRole(client.id, 'admin'), () => takeRole(client.id, 'admin')],
    ]
    for (const [reason, change, back] of cases) {
      await change()
      const { answer, event } = await outcome(text)
      t.equal(answer.status, 401, reason)
      t.match(event, { action: 'client-token.refused', after: { reason } })
      answers.push(comparable(answer.text))
      await back()
    }
    t.equal((await redeem(text)).status, 200, 'nothing was spent')
    t.equal(new Set(answers).size, 1, 'one answer, byte-equal')
  })
  await t.test('R-08 is refused once the role or the client was taken away, also when they come back', async t => {
    const [first, second] = [await token(), await token()]
    await takeRole(advisor.id, 'advisor')
    t.match((await outcome(first)).event, { after: { reason: /^(not-an-advisor|withdrawn)$/ } })
    await giveRole(advisor.id, 'advisor')
    await a.asOwner(sql => sql`delete from advisor_clients where advisor_id = ${advisor.id}`)
    t.match((await outcome(second)).event, { after: { reason: /^(not-assigned|withdrawn)$/ } })
  })
})
