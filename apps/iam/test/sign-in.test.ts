import t from 'tap'
import { comparableHeaders, password, testApp } from './test-app.ts'

const a = await testApp(t)
const lastEvents = (count: number) =>
  a.asOwner(async sql => [
    ...(await sql<
      { action: string; tenant_id: string; target_id: string | null; after: { reason?: string } | null; ip: string }[]
    >`
      select action, tenant_id, target_id, after, ip from audit_events order by at desc, id desc limit ${count}`),
  ])
const payloadOf = (token: string) => JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString())
const countPeople = () => a.asOwner(async sql => Number((await sql`select count(*) from users`)[0]?.count))

t.test('registration', async t => {
  await t.test('makes a person of the default tenant, who can sign in', async t => {
    const answer = await a.post('/api/v1/users', {
      email: 'Ada.Lovelace@Example.com',
      username: 'ada',
      phone: '+4915112345678',
      password,
      name: 'Ada Lovelace',
      first_name: 'Ada',
      last_name: 'Lovelace',
    })
    t.equal(answer.status, 201)
    t.match(answer.body, {
      tenant_id: a.company,
      kind: 'user',
      email: 'ada.lovelace@example.com',
      email_verified_at: null,
      username: 'ada',
      phone: '+4915112345678',
      name: 'Ada Lovelace',
      status: 'active',
    })
    t.notMatch(answer.text, /password|argon2/)
    t.match(await lastEvents(1), [
      { action: 'user.registered', tenant_id: a.company, target_id: answer.body.id, ip: '127.0.0.1' },
    ])
    t.ok(await a.signIn('ada.lovelace@example.com'))
  })
  await t.test('refuses what is taken, naming it, and writes nothing', async t => {
    const before = await countPeople()
    const cases = {
      'email-taken': { email: 'ADA.lovelace@example.com' },
      'username-taken': { username: 'ADA' },
      'phone-taken': { username: 'x', phone: '+4915112345678' },
    }
    for (const [code, person] of Object.entries(cases)) {
      t.match(await a.post('/api/v1/users', { ...person, password }), { status: 409, body: { code } })
    }
    t.equal(await countPeople(), before)
  })
  await t.test('sixteen at once with one address make one person', async t => {
    const answers = await Promise.all(
      Array.from({ length: 16 }, () => a.post('/api/v1/users', { email: 'race@example.com', password })),
    )
    t.equal(answers.filter(answer => answer.status === 201).length, 1)
    t.equal(answers.filter(answer => answer.body.code === 'email-taken').length, 15)
  })
  await t.test('is closed where the tenant says so, and for tenants that do not exist, with one answer', async t => {
    const answers = await Promise.all(
      ['platform', 'nowhere'].map(tenant => a.post('/api/v1/users', { email: 'closed@example.com', password, tenant })),
    )
    for (const answer of answers) t.match(answer, { status: 403, body: { code: 'registration-closed' } })
    const [one, other] = answers.map(answer => answer.text.replace(/urn:uuid:[\w-]+/, ''))
    t.equal(one, other)
    await a.asOwner(sql => sql`update tenants set settings = '{}' where id = ${a.company}`)
    t.match(await a.post('/api/v1/users', { email: 'closed@example.com', password }), {
      status: 403,
      body: { code: 'registration-closed' },
    })
    await a.asOwner(sql => sql`update tenants set settings = '{"self_registration": true}' where id = ${a.company}`)
  })
  await t.test('P-03 refuses common passwords and own words', async t => {
    const cases = {
      'password-too-short': 'x7!kQ2z',
      'password-too-common': 'Password123',
      'password-own-words': 'GraceHopper42!',
      'password-too-long': 'ab'.repeat(65),
    }
    for (const [code, bad] of Object.entries(cases)) {
      t.match(await a.post('/api/v1/users', { email: 'grace@example.com', last_name: 'Hopper', password: bad }), {
        status: 400,
        body: { code },
      })
    }
    t.equal(
      (
        await a.post('/api/v1/users', {
          email: 'grace@example.com',
          last_name: 'Hopper',
          password: 'alllowercase words',
        })
      ).status,
      201,
    )
  })
  await t.test('P-04 refuses a password of a megabyte before anything is hashed', async t => {
    const answer = await a.post('/api/v1/users', { email: 'mega@example.com', password: 'x'.repeat(1_048_576) })
    t.match(answer, { status: 413, body: { code: 'body-too-large' } })
    t.match(await a.post('/api/v1/tokens', { email: 'mega@example.com', password: 'x'.repeat(1_048_576) }), {
      status: 413,
    })
    const bytes = { email: 'mega@example.com', password: '🦊🐢🌵🪐'.repeat(32) + 'e\u0301' }
    t.match(await a.post('/api/v1/users', bytes), { status: 400, body: { code: 'password-too-long' } })
  })
  await t.test('P-04 keeps 128 bytes significant to the last', async t => {
    const long = Array.from({ length: 16 }, (_, index) => `word-${index}x`.padEnd(8, 'q')).join('')
    t.equal(long.length, 128)
    await a.register({ username: 'long-one', password: long })
    t.equal((await a.post('/api/v1/tokens', { username: 'long-one', password: long })).status, 200)
    t.equal((await a.post('/api/v1/tokens', { username: 'long-one', password: `${long.slice(0, -1)}!` })).status, 401)
  })
})

t.test('sign-in', async t => {
  await t.test('takes e-mail, username or phone, by name or as an identifier', async t => {
    const ways = [
      { email: 'ADA.lovelace@example.com' },
      { username: 'Ada' },
      { phone: '+4915112345678' },
      { identifier: 'ada.lovelace@example.com' },
      { identifier: '+4915112345678' },
      { identifier: 'ada' },
      { identifier: 'ada', tenant: 'acme' },
    ]
    for (const way of ways) {
      const answer = await a.post('/api/v1/tokens', { ...way, password })
      t.equal(answer.status, 200, JSON.stringify(way))
      t.equal(answer.headers['cache-control'], 'no-store')
    }
  })
  await t.test('takes exactly one of them', async t => {
    for (const way of [
      {},
      { email: 'ada.lovelace@example.com', username: 'ada' },
      { identifier: 'ada', phone: '+4915112345678' },
    ]) {
      t.match(await a.post('/api/v1/tokens', { ...way, password }), {
        status: 400,
        body: { code: 'invalid-input', errors: [{ message: /exactly one/ }] },
      })
    }
  })
  await t.test('says in the token who, where and how (RFC 9068)', async t => {
    const before = Math.floor(a.clock.nowMs() / 1_000)
    const { access_token: token } = await a.signIn('ada')
    const [header, payload] = token
      .split('.')
      .slice(0, 2)
      .map(part => JSON.parse(Buffer.from(part, 'base64url').toString()))
    t.same(header, { alg: 'RS256', typ: 'at+jwt', kid: a.signingKeys.keySet().keys[0]?.kid })
    t.same(Object.keys(payload), [
      'iss',
      'aud',
      'sub',
      'client_id',
      'iat',
      'exp',
      'jti',
      'sid',
      'tid',
      'roles',
      'permissions',
      'kind',
      'auth_time',
      'amr',
      'status',
    ])
    t.match(payload, {
      iss: 'http://localhost:4000',
      aud: 'signet',
      client_id: 'signet',
      tid: a.company,
      roles: ['member'],
      permissions: [],
      kind: 'user',
      amr: ['pwd'],
    })
    t.equal(payload.exp - payload.iat, 900)
    t.ok(payload.iat >= before && payload.auth_time >= before - 1)
  })
  await t.test('of many at once gives each their own session, and none to who is not let in', async t => {
    const people = await Promise.all(Array.from({ length: 8 }, (_, at) => a.register({ username: `crowd-${at}` })))
    await a.asOwner(sql => sql`update users set status = 'suspended' where id = ${people[3]?.id ?? ''}`)
    const answers = await Promise.all(
      people.map((_, at) =>
        a.post('/api/v1/tokens', { username: `crowd-${at}`, password: at === 5 ? `${password}s` : password }),
      ),
    )
    t.same(
      answers.map(answer => answer.status),
      [200, 200, 200, 401, 200, 401, 200, 200],
    )
    for (const [at, { status, body }] of answers.entries()) {
      if (status !== 200) continue
      const { sub, sid } = payloadOf(body.access_token)
      t.equal(sub, people[at]?.id)
      const [session] = await a.asOwner(
        sql => sql<{ user: string }[]>`select user_id as user from sessions where id = ${sid}`,
      )
      t.equal(session?.user, sub)
      const next = await a.post('/api/v1/tokens/refresh', { refresh_token: body.refresh_token })
      t.match(payloadOf(next.body.access_token), { sub, sid })
    }
  })
  await t.test('leaves the permissions out where they are too many', async t => {
    const many = payloadOf((await a.signIn('root@example.com')).access_token)
    t.notOk('permissions' in many)
    t.same(many.roles, ['admin', 'super_admin'])
    const few = payloadOf((await a.signIn('ada.lovelace@example.com')).access_token)
    t.same(few.permissions, [])
  })
  await t.test('lands staff in the default tenant, and where they ask to', async t => {
    const tenantOf = (token: string) => JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()).tid
    t.equal(tenantOf((await a.signIn('root@example.com')).access_token), a.company)
    t.equal(tenantOf((await a.signIn('root@example.com', { tenant: 'platform' })).access_token), a.platform)
  })
})

t.test('P-01 wrong, unknown, suspended, other tenant: one answer', async t => {
  await a.register({ email: 'suspended@example.com' })
  await a.asOwner(sql => sql`update users set status = 'suspended' where email = 'suspended@example.com'`)
  const { id } = await a.register({ email: 'passwordless@example.com' })
  await a.asOwner(sql => sql`delete from password_credentials where user_id = ${id}`)
  const cases = {
    'wrong-password': { email: 'ada.lovelace@example.com', password: 'not the password' },
    'unknown-user': { email: 'nobody@example.com', password },
    'user-suspended': { email: 'suspended@example.com', password },
    'no-membership': { email: 'ada.lovelace@example.com', password, tenant: 'platform' },
    'no-password': { email: 'passwordless@example.com', password },
  }
  const texts = new Set<string>()
  const headers = new Set<string>()
  for (const [reason, body] of Object.entries(cases)) {
    const answer = await a.post('/api/v1/tokens', body)
    t.match(answer, { status: 401, body: { code: 'invalid-credentials' } }, reason)
    texts.add(answer.text.replace(/urn:uuid:[\w-]+/, ''))
    headers.add(JSON.stringify(comparableHeaders(answer)))
    const [event] = await lastEvents(1)
    t.match(event, { action: 'sign-in.failed', after: { reason }, ip: '127.0.0.1' })
    t.equal(event?.tenant_id, reason === 'unknown-user' ? a.platform : a.company)
    t.equal(event?.target_id === null, reason === 'unknown-user')
  }
  t.equal(texts.size, 1, 'byte-equal but for the request id')
  t.equal(headers.size, 1)
  await t.test('and one path: each costs one hash', async t => {
    for (const [reason, body] of Object.entries({ ...cases, right: { email: 'ada.lovelace@example.com', password } })) {
      const before = a.countHashes()
      await a.post('/api/v1/tokens', body)
      t.equal(a.countHashes() - before, 1, reason)
    }
  })
})

t.test('P-09 a burst of sign-ins is shed, and refreshes go on', { timeout: 60_000 }, async t => {
  const { refresh_token: token } = await a.signIn('ada')
  const countCounters = () =>
    a.asOwner(async sql => Number((await sql`select count(*) from account_counters`)[0]?.count))
  const before = await countCounters()
  const lane = { isFull: true }
  const burst = Promise.all(Array.from({ length: 202 }, () => a.hasher.verify(null, 'x'))).then(
    () => (lane.isFull = false),
  )
  const unread = a.post('/api/v1/tokens', {})
  const signIns = Promise.all(
    // Of many names: one alone would be throttled before it is hashed.
    Array.from({ length: 30 }, (_, index) =>
      a.post('/api/v1/tokens', { username: `burst-${index}`, password: 'wrong' }),
    ),
  )
  const refreshed = await a.post('/api/v1/tokens/refresh', { refresh_token: token })
  t.equal(refreshed.status, 200)
  t.match(await unread, { status: 503, body: { code: 'hashing-busy' } }, 'without a look at the body')
  t.equal(lane.isFull, true, 'while the lane is full')
  await burst
  const answers = await signIns
  const shed = answers.filter(answer => answer.status === 503)
  t.ok(shed.length > 0, `${shed.length} shed`)
  t.ok(shed.every(answer => answer.body.code === 'hashing-busy' && answer.headers['retry-after'] === '1'))
  t.ok(answers.every(answer => answer.status === 503 || answer.status === 401))
  t.equal(
    await countCounters(),
    before + answers.length - shed.length,
    'whoever is sent away has not used up an attempt',
  )
  t.equal((await a.post('/api/v1/tokens', { username: 'ada', password })).status, 200)
})
