import { runStatement } from '@signet/db'
import { newId, type TenantId } from '@signet/kernel'
import t from 'tap'
import { createTokenCallers } from './client-token-callers.ts'
import { testApp, type Tokens } from './test-app.ts'

const a = await testApp(t, { deps: { sendsEvents: true } })
const { url, claimsOf, redeem, me, comparable, eventsOf, giveRole, takeRole, assign, someone, pair } =
  createTokenCallers(a)

t.test('who may make one', async t => {
  const { advisor, client, ask } = await pair()
  const other = await someone('advisor')
  const askAs = (tokens: Tokens, user_id: string) => a.post(url, { user_id }, tokens.access_token)
  await t.test('T-01 people who are not assigned are not there', async t => {
    const stranger = await someone('client')
    const answers = [
      await askAs(advisor.tokens, stranger.id),
      await askAs(advisor.tokens, newId()),
      await askAs(advisor.tokens, advisor.id),
      await askAs(advisor.tokens, a.administrator.id),
      await askAs(other.tokens, client.id),
    ]
    for (const answer of answers) t.match(answer, { status: 404, body: { code: 'user-not-found' } })
    t.equal(new Set(answers.map(({ text }) => comparable(text))).size, 1, 'byte-equal')
  })
  await t.test('nobody without the role, whoever is asked for', async t => {
    const answers = [
      await askAs(client.tokens, advisor.id),
      await askAs(client.tokens, newId()),
      await askAs(await a.signIn('root@example.com'), client.id),
    ]
    for (const answer of answers) t.match(answer, { status: 403, body: { code: 'forbidden' } })
    for (const [method, path] of [
      ['GET', url],
      ['DELETE', `${url}/${newId()}`],
    ] as const)
      t.match(await a.call(method, path, { token: client.tokens.access_token }), {
        status: 403,
        body: { code: 'forbidden' },
      })
  })
  await t.test('X-02 nobody for whoever holds more, when it is made', async t => {
    await giveRole(client.id, 'admin')
    t.match(await ask(), { status: 403, body: { code: 'grant-exceeds-own' } })
    await takeRole(client.id, 'admin')
    t.equal((await ask()).status, 201)
  })
  await t.test('X-02 nobody for platform staff, who hold everything wherever they are', async t => {
    const staff = await someone('client')
    await assign(advisor.id, staff.id)
    const { body } = await askAs(advisor.tokens, staff.id)
    const acting = await redeem((await askAs(advisor.tokens, staff.id)).body.token)
    const membership = newId()
    await a.asOwner(
      sql => sql`insert into memberships (tenant_id, id, user_id) values (${a.platform}, ${membership}, ${staff.id})`,
    )
    await giveRole(staff.id, 'super_admin', a.platform)
    t.match(await askAs(advisor.tokens, staff.id), { status: 403, body: { code: 'grant-exceeds-own' } })
    t.match(await redeem(body.token), { status: 401, body: { code: 'invalid-client-token' } })
    t.match(await me(acting.body), { status: 401, body: { code: 'session-ended' } }, 'nor in a session that is open')
  })
  await t.test('nobody who acts for somebody, nor who has to change the password first', async t => {
    await giveRole(client.id, 'advisor')
    const third = await someone('client')
    await assign(client.id, third.id)
    const acting = await redeem((await ask()).body.token)
    const calls = [
      ['POST', url, { user_id: third.id }],
      ['GET', url, undefined],
      ['DELETE', `${url}/${newId()}`, undefined],
    ] as const
    for (const [method, path, body] of calls) {
      const options = { token: acting.body.access_token, ...(body === undefined ? {} : { body }) }
      t.match(await a.call(method, path, options), { status: 403, body: { code: 'acting-for-somebody' } }, method)
    }
    await a.asOwner(sql => sql`update password_credentials set must_change = true where user_id = ${advisor.id}`)
    t.match(await ask(), { status: 403, body: { code: 'password-change-required' } })
    await a.asOwner(sql => sql`update password_credentials set must_change = false where user_id = ${advisor.id}`)
  })
})

t.test('an advisor’s own tokens', async t => {
  const { advisor, client, ask } = await pair()
  const other = await someone('advisor')
  const list = (tokens: Tokens, query = '') => a.call('GET', `${url}${query}`, { token: tokens.access_token })
  const withdraw = (tokens: Tokens, id: string) => a.call('DELETE', `${url}/${id}`, { token: tokens.access_token })
  const ids: string[] = []
  for (let index = 0; index < 4; index += 1) {
    const { body } = await ask({ purpose: `number ${index}` })
    ids.unshift(body.id)
    if (index === 1) await redeem(body.token)
    if (index === 2) await a.asOwner(sql => sql`update client_tokens set expires_at = now() where id = ${body.id}`)
  }
  await t.test('are listed with what became of them, the newest first, in pages, never the token', async t => {
    t.equal((await withdraw(advisor.tokens, ids[0] as string)).status, 204)
    const { status, body, text } = await list(advisor.tokens)
    t.equal(status, 200)
    t.match(body, {
      next_cursor: null,
      items: [
        { id: ids[0], status: 'withdrawn', withdrawn_at: /Z$/ },
        { id: ids[1], status: 'expired' },
        { id: ids[2], status: 'redeemed', redeemed_at: /Z$/ },
        { id: ids[3], kind: 'access', status: 'live', user_id: client.id, purpose: 'number 0', email: null },
      ],
    })
    t.notMatch(text, /sct_|hash/)
    const seen: string[] = []
    let cursor: string | null = ''
    while (cursor !== null) {
      const page: { body: { items: { id: string }[]; next_cursor: string | null } } = await list(
        advisor.tokens,
        `?limit=3${cursor === '' ? '' : `&cursor=${cursor}`}`,
      )
      seen.push(...page.body.items.map(item => item.id))
      cursor = page.body.next_cursor
    }
    t.same(seen, ids)
    t.same((await list(other.tokens)).body.items, [])
  })
  await t.test('I-04 take no cursor but their own', async t => {
    const { body } = await list(advisor.tokens, '?limit=1')
    t.match(await list(other.tokens, `?cursor=${body.next_cursor}`), { status: 400, body: { code: 'invalid-cursor' } })
  })
  await t.test('T-01 are not there for others', async t => {
    const answers = [await withdraw(other.tokens, ids[3] as string), await withdraw(other.tokens, newId())]
    for (const answer of answers) t.match(answer, { status: 404, body: { code: 'client-token-not-found' } })
    t.equal(new Set(answers.map(({ text }) => comparable(text))).size, 1)
  })
  await t.test('are withdrawn once, however often it is asked', async t => {
    const first = await withdraw(advisor.tokens, ids[3] as string)
    t.equal(first.status, 204)
    t.match(await eventsOf(first), [
      { action: 'client-token.withdrawn', actor_id: advisor.id, target_type: 'user', target_id: client.id },
    ])
    for (const id of ids) {
      const again = await withdraw(advisor.tokens, id)
      t.equal(again.status, 204)
      t.same(await eventsOf(again), [])
    }
    t.equal((await list(advisor.tokens)).body.items[2].status, 'redeemed', 'what was redeemed stays so')
  })
})

t.test('an advisor of another tenant', async t => {
  const tenant = newId<TenantId>()
  await runStatement(a.database.db, sql => sql`select create_tenant(${tenant}, 'globex', 'Globex', '{}')`)
  const guest = await someone('client')
  const client = await someone('client')
  for (const { id } of [guest, client])
    await a.asOwner(sql => sql`insert into memberships (tenant_id, id, user_id) values (${tenant}, ${newId()}, ${id})`)
  await giveRole(guest.id, 'advisor', tenant)
  await assign(guest.id, client.id, tenant)
  const entered = await a.post('/api/v1/tokens/tenant', { tenant_id: tenant }, guest.tokens.access_token)
  await t.test('T-01 opens a door there and nowhere else', async t => {
    t.match(await a.post(url, { user_id: client.id }, guest.tokens.access_token), { status: 403 })
    const made = await a.post(url, { user_id: client.id, notify: true }, entered.body.access_token)
    t.equal(made.status, 201)
    const acting = await redeem(made.body.token)
    t.match(claimsOf(acting.body), { sub: client.id, tid: tenant, act: { sub: guest.id } })
    t.match((await a.messagesTo(client.email))[0], { template: 'client-access', data: { token: made.body.token } })
    const home = await pair()
    t.match(await a.post(url, { user_id: home.client.id }, entered.body.access_token), {
      status: 404,
      body: { code: 'user-not-found' },
    })
    const own = await home.ask()
    t.match(await a.call('DELETE', `${url}/${own.body.id}`, { token: entered.body.access_token }), {
      status: 404,
      body: { code: 'client-token-not-found' },
    })
  })
  await t.test('T-04 is assigned nobody of another tenant, by the database itself', async t => {
    const { advisor } = await pair()
    await t.rejects(assign(advisor.id, a.administrator.id, tenant), /advisor_clients__advisor/)
    const outsider = await someone('client')
    await t.rejects(assign(guest.id, outsider.id, tenant), /advisor_clients__user/)
  })
})
