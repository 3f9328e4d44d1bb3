import { createHash } from 'node:crypto'
import { runStatement } from '@signet/db'
import { newId, type TenantId } from '@signet/kernel'
import t from 'tap'
import { password, testApp, type Tokens } from './test-app.ts'

const a = await testApp(t, { deps: { sendsEvents: true } })
const url = '/api/v1/advisor/client-tokens'
const claimsOf = (tokens: Tokens) =>
  JSON.parse(Buffer.from(tokens.access_token.split('.')[1] ?? '', 'base64url').toString())
const refresh = (tokens: Tokens) => a.post('/api/v1/tokens/refresh', { refresh_token: tokens.refresh_token })
const redeem = (token: string, extra: object = {}) => a.post('/auth/client-token', { token, ...extra })
const me = (tokens: Tokens) => a.call('GET', '/api/v1/me', { token: tokens.access_token })
const comparable = (text: string) => text.replace(/urn:uuid:[\w-]+/, '')

/** The events of one request, by name: those of one moment have no order. */
const eventsOf = (answer: { headers: Record<string, unknown> }) =>
  a.asOwner(async sql => [
    ...(await sql<
      {
        action: string
        tenant_id: string
        actor_id: string | null
        session_id: string | null
        target_type: string
        target_id: string | null
        after: Record<string, unknown> | null
        ip: string
      }[]
    >`
      select action, tenant_id, actor_id, session_id, target_type, target_id, after, ip from audit_events
      where request_id = ${String(answer.headers['x-request-id'])} order by action`),
  ])

const giveRole = (userId: string, role: string, tenant: TenantId = a.company) =>
  a.asOwner(
    sql => sql`insert into membership_roles (tenant_id, membership_id, role_id)
      select m.tenant_id, m.id, r.id from memberships m join roles r on r.tenant_id = m.tenant_id and r.name = ${role}
      where m.tenant_id = ${tenant} and m.user_id = ${userId}`,
  )
const takeRole = (userId: string, role: string) =>
  a.asOwner(
    sql => sql`delete from membership_roles mr using memberships m, roles r
      where m.tenant_id = mr.tenant_id and m.id = mr.membership_id and r.tenant_id = mr.tenant_id and r.id = mr.role_id
        and m.user_id = ${userId} and r.name = ${role}`,
  )
const assign = (advisor: string, user: string, tenant: TenantId = a.company) =>
  a.asOwner(
    sql => sql`insert into advisor_clients (tenant_id, advisor_id, user_id) values (${tenant}, ${advisor}, ${user})`,
  )

let people = 0
/** Somebody of the company; as an advisor with the role. */
async function someone(kind: 'client' | 'advisor') {
  people += 1
  const email = `${kind}-${people}@example.com`
  const { id } = await a.register({ email, name: `${kind} ${people}` })
  if (kind === 'advisor') await giveRole(id, 'advisor')
  return { id, email, tokens: await a.signIn(email) }
}
/** An advisor with a client who is assigned to them. */
async function pair() {
  const [advisor, client] = [await someone('advisor'), await someone('client')]
  await assign(advisor.id, client.id)
  const ask = (body: object = {}) => a.post(url, { user_id: client.id, ...body }, advisor.tokens.access_token)
  const token = async (body: object = {}): Promise<string> => (await ask(body)).body.token
  return { advisor, client, ask, token }
}

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
