import { runStatement } from '@signet/db'
import { newId, type TenantId } from '@signet/kernel'
import t from 'tap'
import { password, testApp, type Tokens } from './test-app.ts'

const a = await testApp(t, { deps: { sendsEvents: true } })
const url = '/api/v1/advisor/request-client-token'
const claimsOf = (tokens: Tokens) =>
  JSON.parse(Buffer.from(tokens.access_token.split('.')[1] ?? '', 'base64url').toString())
const redeem = (token: string) => a.post('/auth/client-token', { token })
const me = async (tokens: Tokens) => (await a.call('GET', '/api/v1/me', { token: tokens.access_token })).body
/** The events of one request, by name: those of one moment have no order. */
const eventsOf = (answer: { headers: Record<string, unknown> }) =>
  a.asOwner(async sql => [
    ...(await sql<
      { action: string; tenant_id: string; actor_id: string | null; target_id: string | null; after: object | null }[]
    >`
      select action, tenant_id, actor_id, target_id, after from audit_events
      where request_id = ${String(answer.headers['x-request-id'])} order by action`),
  ])
const setStatus = (id: string, status: string) =>
  a.asOwner(sql => sql`update users set status = ${status} where id = ${id}`)

const giveRole = (userId: string, role: string, tenant: TenantId = a.company) =>
  a.asOwner(
    sql => sql`insert into membership_roles (tenant_id, membership_id, role_id)
      select m.tenant_id, m.id, r.id from memberships m join roles r on r.tenant_id = m.tenant_id and r.name = ${role}
      where m.tenant_id = ${tenant} and m.user_id = ${userId}`,
  )

let advisors = 0
async function anAdvisor() {
  advisors += 1
  const email = `advisor-${advisors}@example.com`
  const { id } = await a.register({ email, name: `Advisor ${advisors}` })
  await giveRole(id, 'advisor')
  const tokens = await a.signIn(email)
  const invite = (client_email: string, body: object = {}) =>
    a.post(url, { client_name: 'Ada Client', client_email, reason: 'Tax return', ...body }, tokens.access_token)
  return { id, email, tokens, invite }
}
/** What was mailed to an address last. */
const mailedTo = async (email: string): Promise<string> => (await a.messagesTo(email))[0]?.data.token

const advisor = await anAdvisor()
const advised = (userId: string, advisorId = advisor.id) =>
  a.asOwner(
    async sql =>
      (await sql`select from advisor_clients where advisor_id = ${advisorId} and user_id = ${userId}`).length === 1,
  )

t.test('an invitation', async t => {
  const email = 'new.client@example.com'
  const asked = await advisor.invite('New.Client@Example.com')
  await t.test('is mailed and is nowhere in the answer', async t => {
    t.equal(asked.status, 200)
    t.same(asked.body, { ok: true, message: 'An invitation token has been sent to New.Client@Example.com' })
    const [message] = await a.messagesTo(email)
    t.match(message, {
      template: 'invitation',
      data: { token: /^sct_/, advisor: 'Advisor 1', purpose: 'Tax return', days: 7 },
    })
    t.notMatch(asked.text, message?.data.token)
    const days = ((message?.expires_at?.getTime() ?? 0) - Date.now()) / 86_400_000
    t.ok(days > 6.99 && days <= 7, `${days} days`)
    t.match(await eventsOf(asked), [
      { action: 'client-token.created', actor_id: advisor.id, after: { kind: 'invitation', email } },
    ])
    const [event] = await a.messagesTo('analytics')
    t.match(event, { template: 'client.token.requested', data: { payload: { kind: 'invitation', user_id: null } } })
    t.notMatch(JSON.stringify(event), /new\.client/i, 'no address goes to the service that counts')
  })
  const answer = await redeem(await mailedTo(email))
  await t.test('makes the person in the advisor’s tenant, advised by them, with a session of their own', async t => {
    t.equal(answer.status, 200)
    const claims = claimsOf(answer.body)
    t.match(claims, { tid: a.company, roles: ['member'], amr: ['otp'] })
    t.notOk('act' in claims)
    t.ok(answer.body.refresh_expires_in > 86_400)
    t.match(await me(answer.body), {
      id: claims.sub,
      tenant_id: a.company,
      email,
      email_verified_at: /Z$/,
      name: 'Ada Client',
      roles: ['member'],
    })
    t.ok(await advised(claims.sub))
    const [devices] = await a.asOwner(
      sql => sql`select count(*)::int as known from known_devices where user_id = ${claims.sub}`,
    )
    t.equal(devices?.['known'], 1)
    t.match(await eventsOf(answer), [
      { action: 'advisor.client-assigned', actor_id: claims.sub, target_id: claims.sub },
      { action: 'client-token.redeemed', actor_id: claims.sub, target_id: claims.sub, after: { kind: 'invitation' } },
      { action: 'session.opened', actor_id: claims.sub },
      { action: 'user.registered', target_id: claims.sub, after: { email, advisor_id: advisor.id } },
    ])
    const told = await a.asOwner(
      sql =>
        sql`select template from outbound_messages where channel = 'event' and user_id = ${claims.sub} order by template`,
    )
    t.same(told, [{ template: 'user.created' }, { template: 'user.login' }])
  })
  await t.test('is listed by the advisor with the person whom it has brought', async t => {
    const { body } = await a.call('GET', '/api/v1/advisor/client-tokens', { token: advisor.tokens.access_token })
    t.match(body.items[0], { kind: 'invitation', status: 'redeemed', email, user_id: claimsOf(answer.body).sub })
  })
  await t.test('works once', async t => {
    t.match(await redeem(await mailedTo(email)), { status: 401, body: { code: 'invalid-client-token' } })
  })
  await t.test('takes the place of the advisor’s former one to the same address, and of nobody else’s', async t => {
    const other = await anAdvisor()
    const address = 'twice@example.com'
    await advisor.invite(address)
    const first = await mailedTo(address)
    await other.invite(address)
    const others = await mailedTo(address)
    await advisor.invite('TWICE@example.com')
    const second = await mailedTo(address)
    t.match(await redeem(first), { status: 401, body: { code: 'invalid-client-token' } })
    const [mine, theirs] = [await redeem(second), await redeem(others)]
    t.equal(mine.status, 200)
    t.equal(theirs.status, 200)
    t.equal(claimsOf(mine.body).sub, claimsOf(theirs.body).sub)
    t.ok(await advised(claimsOf(mine.body).sub, other.id))
  })
  await t.test('is the only live one to its address, also of eight that are asked for at once', async t => {
    const address = 'at-once@example.com'
    const eight = await Promise.all(Array.from({ length: 8 }, () => advisor.invite(address)))
    t.ok(eight.every(({ status }) => status === 200))
    const texts = (await a.messagesTo(address)).map(({ data }) => data.token)
    t.equal(new Set(texts).size, 8)
    const answers = await Promise.all(texts.map(redeem))
    t.equal(answers.filter(({ status }) => status === 200).length, 1)
  })
  await t.test('can be withdrawn', async t => {
    await advisor.invite('withdrawn@example.com')
    const { body } = await a.call('GET', '/api/v1/advisor/client-tokens', { token: advisor.tokens.access_token })
    const path = `/api/v1/advisor/client-tokens/${body.items[0].id}`
    t.equal((await a.call('DELETE', path, { token: advisor.tokens.access_token })).status, 204)
    t.equal((await redeem(await mailedTo('withdrawn@example.com'))).status, 401)
  })
})

t.test('an invitation of somebody who has an account', async t => {
  await t.test('whose address is verified leaves the account as it is', async t => {
    const { id, email } = await a.register({ email: 'verified@example.com' })
    await a.asOwner(sql => sql`update users set email_verified_at = now() where id = ${id}`)
    const before = await a.signIn(email)
    await advisor.invite(email)
    const answer = await redeem(await mailedTo(email))
    t.match(claimsOf(answer.body), { sub: id })
    t.ok(await advised(id))
    t.equal((await a.post('/api/v1/tokens/refresh', { refresh_token: before.refresh_token })).status, 200)
    t.ok(await a.signIn(email), 'the password still works')
    t.notOk((await eventsOf(answer)).some(({ action }) => action === 'user.claimed'))
  })
  await t.test('whose address nobody has proved is taken from whoever registered it', async t => {
    const email = 'prehijacked@example.com'
    const { id } = await a.register({ email, phone: '+4915112345678' })
    const squatter = await a.signIn(email)
    await advisor.invite(email)
    const answer = await redeem(await mailedTo(email))
    t.match(claimsOf(answer.body), { sub: id })
    t.match(await me(answer.body), { id, email_verified_at: /Z$/ })
    t.match(await a.post('/api/v1/tokens/refresh', { refresh_token: squatter.refresh_token }), {
      status: 401,
      body: { code: 'session-ended' },
    })
    t.match(await a.post('/api/v1/tokens', { email, password }), { status: 401, body: { code: 'invalid-credentials' } })
    t.ok((await eventsOf(answer)).some(({ action, target_id }) => action === 'user.claimed' && target_id === id))
  })
  await t.test('that a verified number belongs to is refused: the address may be mistyped', async t => {
    const { id, email } = await a.register({ email: 'mistyped@example.com', phone: '+4915112345679' })
    await a.asOwner(sql => sql`update users set phone_verified_at = now() where id = ${id}`)
    await advisor.invite(email)
    const refused = await redeem(await mailedTo(email))
    t.match(refused, { status: 401, body: { code: 'invalid-client-token' } })
    t.match(await eventsOf(refused), [{ action: 'client-token.refused', after: { reason: 'address-not-verified' } }])
    t.ok(await a.signIn(email), 'and the account is as it was')
  })
  await t.test('at home elsewhere makes a guest of them, and takes up what an administrator had sent', async t => {
    const { id, email } = await a.register({ email: 'guest@example.com' })
    const tenant = newId<TenantId>()
    await runStatement(a.database.db, sql => sql`select create_tenant(${tenant}, 'globex', 'Globex', '{}')`)
    const host = await anAdvisor()
    await a.asOwner(async sql => {
      await sql`insert into memberships (tenant_id, id, user_id) values (${tenant}, ${newId()}, ${host.id})`
      await sql`insert into memberships (tenant_id, id, invited_email, status) values (${tenant}, ${newId()}, ${email}, 'invited')`
    })
    await giveRole(host.id, 'advisor', tenant)
    const entered = await a.post('/api/v1/tokens/tenant', { tenant_id: tenant }, host.tokens.access_token)
    const body = { client_name: 'Guest', client_email: email, reason: 'x' }
    t.equal((await a.post(url, body, entered.body.access_token)).status, 200)
    const answer = await redeem(await mailedTo(email))
    t.match(claimsOf(answer.body), { sub: id, tid: tenant, roles: ['member'] })
    const { memberships } = await me(answer.body)
    t.same(memberships.map((each: { tenant: { slug: string } }) => each.tenant.slug).toSorted(), ['acme', 'globex'])
    t.ok((await eventsOf(answer)).some(each => each.action === 'membership.accepted' && each.tenant_id === tenant))
    t.equal((await a.asOwner(sql => sql`select from memberships where invited_email = ${email}`)).length, 0)
  })
  await t.test('who holds more than the advisor gives them their own session and the advisor nothing', async t => {
    await advisor.invite(a.administrator.email)
    const answer = await redeem(await mailedTo(a.administrator.email))
    t.match(claimsOf(answer.body), { sub: a.administrator.id, amr: ['otp'] })
    t.notOk('act' in claimsOf(answer.body))
    const made = await a.post(
      '/api/v1/advisor/client-tokens',
      { user_id: a.administrator.id },
      advisor.tokens.access_token,
    )
    t.match(made, { status: 403, body: { code: 'grant-exceeds-own' } }, 'X-02')
  })
  await t.test('R-08 who is suspended is refused with the one answer, and nothing is spent or changed', async t => {
    const { id, email } = await a.register({ email: 'suspended@example.com' })
    await advisor.invite(email)
    await setStatus(id, 'suspended')
    const refused = await redeem(await mailedTo(email))
    t.match(refused, { status: 401, body: { code: 'invalid-client-token' } })
    t.match(await eventsOf(refused), [{ action: 'client-token.refused', after: { reason: 'user-suspended' } }])
    t.notOk(await advised(id))
    await setStatus(id, 'active')
    t.equal((await redeem(await mailedTo(email))).status, 200)
  })
  await t.test('is refused when the advisor is none any more, and then makes nobody', async t => {
    const former = await anAdvisor()
    await former.invite('orphan@example.com')
    await setStatus(former.id, 'suspended')
    const refused = await redeem(await mailedTo('orphan@example.com'))
    t.match(refused, { status: 401, body: { code: 'invalid-client-token' } })
    t.match(await eventsOf(refused), [{ after: { reason: 'advisor-suspended' } }])
    t.equal((await a.asOwner(sql => sql`select from users where email = 'orphan@example.com'`)).length, 0)
  })
})

t.test('O-04 fifty who redeem one invitation at once get one session and make one person', async t => {
  const email = 'crowd@example.com'
  await advisor.invite(email)
  const text = await mailedTo(email)
  const answers = await Promise.all(Array.from({ length: 50 }, () => redeem(text)))
  t.equal(answers.filter(({ status }) => status === 200).length, 1)
  t.ok(answers.every(({ status }) => status === 200 || status === 401))
  const [row] = await a.asOwner(
    sql => sql`select count(distinct u.id)::int as people, count(s.id)::int as sessions
      from users u join sessions s on s.user_id = u.id where u.email = ${email}`,
  )
  t.same(row, { people: 1, sessions: 1 })
})

t.test('eight invitations of one new address, redeemed at once, meet in one person', async t => {
  const email = 'popular@example.com'
  const texts: string[] = []
  for (let index = 0; index < 8; index += 1) {
    await (await anAdvisor()).invite(email)
    texts.push(await mailedTo(email))
  }
  const answers = await Promise.all(texts.map(text => redeem(text)))
  t.same(
    answers.map(({ status }) => status),
    texts.map(() => 200),
  )
  t.equal(new Set(answers.map(({ body }) => claimsOf(body).sub)).size, 1)
})

t.test('asking for an invitation', async t => {
  await t.test('answers in the form of eng-identity whatever fails', async t => {
    const client = await a.register({ email: 'mere@example.com' })
    const { access_token: token } = await a.signIn('mere@example.com')
    const body = { client_name: 'Ada', client_email: 'ada@example.com', reason: 'x' }
    t.ok(client.id)
    const nobody = await a.post(url, body)
    t.equal(nobody.status, 401)
    t.match(nobody.headers['content-type'], /^application\/json/)
    const forbidden = await a.post(url, body, token)
    t.equal(forbidden.status, 403)
    const faulty = await advisor.invite('not an address', { client_name: undefined })
    t.equal(faulty.status, 400)
    t.match(faulty.body.error, /client_name is required/)
    t.match(faulty.body.error, /client_email must match format/)
    const own = await advisor.invite(advisor.email)
    t.match(own, { status: 400, body: { error: /client_email must be the address of somebody else/ } })
    const broken = await a.app.inject({
      method: 'POST',
      url,
      headers: { authorization: `Bearer ${advisor.tokens.access_token}`, 'content-type': 'application/json' },
      payload: '{',
    })
    t.equal(broken.statusCode, 400)
    for (const { body: answer } of [nobody, forbidden, faulty, own, { body: broken.json() }]) {
      t.same(Object.keys(answer), ['ok', 'error'])
      t.equal(answer.ok, false)
      t.type(answer.error, 'string')
    }
  })
  await t.test('ignores members that it does not know, and takes a cookie for the token', async t => {
    t.equal((await advisor.invite('loose@example.com', { surprise: true })).status, 200)
    const answer = await a.app.inject({
      method: 'POST',
      url,
      cookies: { access_token: advisor.tokens.access_token },
      payload: { client_name: 'Ada', client_email: 'cookie@example.com', reason: 'x' },
    })
    t.equal(answer.statusCode, 200)
  })
  await t.test('I-06 puts nothing that was typed into the address', async t => {
    for (const bad of ['ada@example.com\r\nbcc: eve@example.com', 'ada@example.com, eve@example.com', 'Ada <a@b.de>'])
      t.equal((await advisor.invite(bad)).status, 400, bad)
    t.equal((await advisor.invite('x@example.com', { client_name: 'Ada\r\nBcc: eve@example.com' })).status, 400)
    t.same(await a.messagesTo('eve@example.com'), [])
  })
  await t.test('answers alike for addresses with an account and without', async t => {
    await a.register({ email: 'known@example.com' })
    const answers = [await advisor.invite('known@example.com'), await advisor.invite('unknown@example.com')]
    const [known, unknown] = answers.map(({ status, text, headers }) => ({
      status,
      text: text.replace(/(un)?known@/, ''),
      names: Object.keys(headers),
    }))
    t.same(known, unknown)
  })
  await t.test('nobody does for a client whom they act for', async t => {
    const second = await anAdvisor()
    await a.asOwner(
      sql =>
        sql`insert into advisor_clients (tenant_id, advisor_id, user_id) values (${a.company}, ${advisor.id}, ${second.id})`,
    )
    const made = await a.post('/api/v1/advisor/client-tokens', { user_id: second.id }, advisor.tokens.access_token)
    const acting = await redeem(made.body.token)
    const body = { client_name: 'Ada', client_email: 'x@example.com', reason: 'x' }
    t.match(await a.post(url, body, acting.body.access_token), { status: 403, body: { ok: false } })
  })
  await t.test('works fifty times a day, also at once, and the refusal is audited once', async t => {
    const eager = await anAdvisor()
    const answers = await Promise.all(
      Array.from({ length: 60 }, (_, index) => eager.invite(`wave-${index}@example.com`)),
    )
    t.equal(answers.filter(({ status }) => status === 200).length, 50)
    const refused = answers.filter(({ status }) => status !== 200)
    for (const answer of refused) {
      t.match(answer, { status: 429, body: { ok: false } })
      t.ok(Number(answer.headers['retry-after']) > 86_000)
    }
    const events = (await Promise.all(refused.map(eventsOf))).flat()
    t.match(events, [{ action: 'client-token.throttled', actor_id: eager.id }])
    t.equal(events.length, 1)
    const [row] = await a.asOwner(
      sql => sql`select count(*)::int as made from client_tokens where advisor_id = ${eager.id}`,
    )
    t.equal(row?.['made'], 50)
  })
})
