import { mintServiceKey } from '@signet/http'
import { newId, type RoleId, type SessionId } from '@signet/kernel'
import { plantCanary } from '@signet/testkit'
import t from 'tap'
import { audience, issuer, testApp, type Tokens } from './test-app.ts'

const serviceKey = 'a-key-that-a-service-of-ours-shows-0001'
const nextKey = 'the-key-that-comes-after-it-0002'
const a = await testApp(t, { deps: { serviceKeys: [serviceKey, nextKey] } })
const ada = await a.register({ email: 'ada@example.com' })

type Form = Record<string, string> | string
const send = async (path: string, form: Form, headers: Record<string, string> = {}) => {
  const answer = await a.app.inject({
    method: 'POST',
    url: `/oauth2/${path}`,
    headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
    payload: typeof form === 'string' ? form : new URLSearchParams(form).toString(),
  })
  return {
    status: answer.statusCode,
    headers: answer.headers,
    text: answer.body,
    body: answer.body === '' ? undefined : answer.json(),
  }
}
const introspect = (token: string, extra: Record<string, string> = {}) =>
  send('introspect', { token, ...extra }, { 'x-api-key': serviceKey })
const revoke = (token: string, extra: Record<string, string> = {}, headers: Record<string, string> = {}) =>
  send('revoke', { token, ...extra }, headers)

const claimsOf = ({ access_token: token }: Tokens) =>
  JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString())
const refresh = (tokens: Tokens) => a.post('/api/v1/tokens/refresh', { refresh_token: tokens.refresh_token })
const endingsOf = (tokens: Tokens) =>
  a.asOwner(async sql => [
    ...(await sql`
      select s.end_reason, e.ip, e.user_agent, e.request_id is not null as has_request, e.after
      from sessions s left join audit_events e on e.session_id = s.id and e.action = 'session.ended'
      where s.id = ${claimsOf(tokens).sid}`),
  ])
const nothing = '{"active":false}'

t.test('introspection of an access token (RFC 7662)', async t => {
  const tokens = await a.signIn('ada@example.com')
  const claims = claimsOf(tokens)
  await t.test('says what it says, and whose it is', async t => {
    const answer = await introspect(tokens.access_token)
    t.equal(answer.status, 200)
    t.equal(answer.headers['cache-control'], 'no-store')
    t.match(answer.headers['content-type'], 'application/json')
    t.same(answer.body, {
      active: true,
      token_type: 'Bearer',
      client_id: 'signet',
      username: 'ada@example.com',
      exp: claims.exp,
      iat: claims.iat,
      sub: ada.id,
      aud: audience,
      iss: issuer,
      jti: claims.jti,
      sid: claims.sid,
      tid: a.company,
      roles: ['member'],
      permissions: [],
    })
  })
  await t.test('takes either key, and whatever hint', async t => {
    t.equal((await send('introspect', { token: tokens.access_token }, { 'x-api-key': nextKey })).body.active, true)
    for (const hint of ['access_token', 'refresh_token', 'saml', ''])
      t.equal((await introspect(tokens.access_token, { token_type_hint: hint })).body.active, true, hint)
  })
  await t.test('says what the person holds now, not what the token says', async t => {
    const role = newId<RoleId>()
    await a.asOwner(async sql => {
      await sql`insert into roles (tenant_id, id, name) values (${a.company}, ${role}, 'helper')`
      await sql`insert into role_permissions values (${a.company}, ${role}, 'users:read')`
      await sql`insert into membership_roles (tenant_id, membership_id, role_id)
        select ${a.company}, id, ${role} from memberships where user_id = ${ada.id}`
    })
    t.match((await introspect(tokens.access_token)).body, { roles: ['helper', 'member'], permissions: ['users:read'] })
    await a.asOwner(sql => sql`delete from membership_roles where role_id = ${role}`)
    t.same((await introspect(tokens.access_token)).body.permissions, [])
  })
  await t.test('whoever has to change their password holds nothing', async t => {
    await a.asOwner(sql => sql`update password_credentials set must_change = true where user_id = ${ada.id}`)
    t.match((await introspect(tokens.access_token)).body, { active: true, roles: [], permissions: [] })
    await a.asOwner(sql => sql`update password_credentials set must_change = false where user_id = ${ada.id}`)
  })
  await t.test('names who acts for the person, while they may', async t => {
    const advisor = await a.register({ email: 'advisor@example.com' })
    await a.asOwner(
      sql => sql`insert into membership_roles (tenant_id, membership_id, role_id)
        select m.tenant_id, m.id, r.id from memberships m join roles r on r.tenant_id = m.tenant_id and r.name = 'advisor'
        where m.user_id = ${advisor.id}`,
    )
    const led = await a.signIn('ada@example.com')
    await a.asOwner(sql => sql`update sessions set act_sub = ${advisor.id} where id = ${claimsOf(led).sid}`)
    t.match((await introspect(led.access_token)).body, { active: true, sub: ada.id, act: { sub: advisor.id } })
    await a.asOwner(sql => sql`update users set status = 'suspended' where id = ${advisor.id}`)
    t.equal((await introspect(led.access_token)).text, nothing)
  })
})

t.test('introspection of a refresh token', async t => {
  const tokens = await a.signIn('ada@example.com')
  await t.test('says when it ends, and does not spend it', async t => {
    const now = Math.floor(a.clock.nowMs() / 1_000)
    for (let round = 0; round < 3; round += 1) {
      const { body } = await introspect(tokens.refresh_token, { token_type_hint: 'access_token' })
      t.match(body, {
        active: true,
        token_type: 'refresh_token',
        client_id: 'signet',
        username: 'ada@example.com',
        sub: ada.id,
        aud: issuer,
        iss: issuer,
        sid: claimsOf(tokens).sid,
        tid: a.company,
        roles: ['member'],
      })
      t.ok(Math.abs(body.exp - now - 432_000) <= 5, 'five days')
      t.ok(Math.abs(body.iat - now) <= 5)
      t.notOk('jti' in body)
    }
    t.equal((await refresh(tokens)).status, 200)
  })
  await t.test('is worth nothing once it was spent, though its grace runs', async t => {
    t.equal((await introspect(tokens.refresh_token)).text, nothing)
    const again = await refresh(tokens)
    t.equal(again.status, 200, 'to ask was no use of it')
    t.equal((await introspect(again.body.refresh_token)).body.active, true)
  })
  await t.test('is worth nothing once it has expired', async t => {
    const idle = await a.signIn('ada@example.com')
    await a.asOwner(sql => sql`update refresh_tokens set expires_at = now() where session_id = ${claimsOf(idle).sid}`)
    t.equal((await introspect(idle.refresh_token)).text, nothing)
  })
})

t.test('everything else is inactive, in the same few bytes', async t => {
  const other = a.deps.refreshTokens.create(newId<SessionId>()).text
  const { access_token: access } = await a.signIn('ada@example.com')
  const [header = '', payload = '', signature = ''] = access.split('.')
  const flipped = `${header}.${payload}.${signature.startsWith('A') ? 'B' : 'A'}${signature.slice(1)}`
  const none = `${Buffer.from('{"alg":"none","typ":"at+jwt"}').toString('base64url')}.${payload}.`
  for (const token of ['nonsense', 'a.b.c', other, `${other.slice(0, -2)}AA`, flipped, none, `${access}=`, ' ', '🦊']) {
    const answer = await introspect(token)
    t.equal(answer.status, 200, token.slice(0, 20))
    t.equal(answer.text, nothing, token.slice(0, 20))
    t.equal(answer.headers['cache-control'], 'no-store')
  }
  await t.test('tokens of those who are over too', async t => {
    const strikes: Record<string, (id: string) => Promise<unknown>> = {
      suspended: id => a.asOwner(sql => sql`update users set status = 'suspended' where id = ${id}`),
      'without membership': id => a.asOwner(sql => sql`delete from memberships where user_id = ${id}`),
      'signed out': id =>
        a.asOwner(sql => sql`update sessions set ended_at = now(), end_reason = 'signed-out' where user_id = ${id}`),
      'of a closed tenant': () =>
        a.asOwner(sql => sql`update tenants set status = 'suspended' where id = ${a.company}`),
    }
    for (const [name, strike] of Object.entries(strikes)) {
      const email = `${name.replaceAll(' ', '-')}@example.com`
      const { id } = await a.register({ email })
      const tokens = await a.signIn(email)
      await strike(id)
      for (const token of Object.values({ access: tokens.access_token, refresh: tokens.refresh_token }))
        t.equal((await introspect(token)).text, nothing, name)
      await a.asOwner(sql => sql`update tenants set status = 'active' where id = ${a.company}`)
    }
  })
  await t.test('and a token that has expired', async t => {
    a.clock.shift(931_000)
    t.equal((await introspect(access)).text, nothing)
    a.clock.shift(-931_000)
    t.equal((await introspect(access)).body.active, true)
  })
})

t.test('introspection asks for a service key', async t => {
  const { access_token: token } = await a.signIn('ada@example.com')
  const wrong: Record<string, string>[] = [
    {},
    { 'x-api-key': '' },
    { 'x-api-key': 'wrong' },
    { 'x-api-key': `${serviceKey},${nextKey}` },
    { authorization: `Bearer ${token}` },
  ]
  for (const headers of wrong) {
    const answer = await send('introspect', { token }, headers)
    t.equal(answer.status, 401)
    t.same(Object.keys(answer.body), ['error', 'error_description'])
    t.equal(answer.body.error, 'invalid_client')
    t.equal(answer.headers['www-authenticate'], 'ApiKey')
    t.equal(answer.headers['cache-control'], 'no-store')
  }
})

t.test('revocation (RFC 7009)', async t => {
  await t.test('ends the session of an access or a refresh token, which is its own proof', async t => {
    for (const kind of ['access_token', 'refresh_token'] as const) {
      const tokens = await a.signIn('ada@example.com')
      const answer = await revoke(tokens[kind], { token_type_hint: 'whatever' }, { 'user-agent': 'a service' })
      t.equal(answer.status, 200, kind)
      t.equal(answer.text, '')
      t.equal(answer.headers['cache-control'], 'no-store')
      t.match(await refresh(tokens), { status: 401, body: { code: 'session-ended' } })
      for (const token of [tokens.access_token, tokens.refresh_token]) t.equal((await introspect(token)).text, nothing)
      t.same(await endingsOf(tokens), [
        {
          end_reason: 'revoked',
          ip: '127.0.0.1',
          user_agent: 'a service',
          has_request: true,
          after: { reason: 'revoked' },
        },
      ])
      t.equal((await revoke(tokens[kind])).status, 200, 'again')
      t.equal((await endingsOf(tokens)).length, 1, 'which is no second event')
    }
  })
  await t.test('may show a service key, which has to be a right one', async t => {
    const tokens = await a.signIn('ada@example.com')
    const refused = await revoke(tokens.access_token, {}, { 'x-api-key': 'wrong' })
    t.match(refused, { status: 401, body: { error: 'invalid_client' } })
    t.equal((await introspect(tokens.access_token)).body.active, true)
    t.equal((await revoke(tokens.access_token, {}, { 'x-api-key': serviceKey })).status, 200)
    t.equal((await introspect(tokens.access_token)).body.active, false)
  })
  await t.test('answers 200 to what is no token, and ends nothing', async t => {
    const tokens = await a.signIn('ada@example.com')
    const forged = `${tokens.access_token.slice(0, -8)}AAAAAAAA`
    for (const text of ['nonsense', forged, `${tokens.refresh_token.slice(0, -4)}AAAA`, claimsOf(tokens).sid]) {
      t.equal((await revoke(text)).status, 200)
    }
    t.equal((await introspect(tokens.access_token)).body.active, true)
    a.clock.shift(931_000)
    t.equal((await revoke(tokens.access_token)).status, 200, 'nor what has expired')
    a.clock.shift(-931_000)
    t.equal((await introspect(tokens.access_token)).body.active, true)
  })
})

t.test('a key that was issued to a service opens what a key of the settings does', async t => {
  const issueKey = async (expires: string | null) => {
    const { key, hash } = mintServiceKey(a.deps.keys.serviceKey)
    const id = newId()
    plantCanary('service key', key)
    await a.asOwner(
      sql => sql`
      with made as (
        insert into services (id, name, base_url) values (${newId()}, ${`billing-${id.slice(-12)}`}, 'http://billing.test') returning id)
      insert into service_keys (id, service_id, key_hash, expires_at) select ${id}, id, ${hash}, ${expires}::timestamptz from made`,
    )
    return { id, header: { 'x-api-key': key } }
  }
  const usedAt = (id: string) =>
    a.asOwner(async sql => {
      const [row] = await sql<{ used: string | null }[]>`
        select last_used_at::text as used from service_keys where id = ${id}`
      return row?.used
    })
  const tokens = await a.signIn('ada@example.com')
  const ask = (header: Record<string, string>) => send('introspect', { token: tokens.access_token }, header)

  await t.test('as long as it is there, and five seconds longer', async t => {
    const { id, header } = await issueKey(null)
    t.equal((await ask(header)).body.active, true)
    await a.asOwner(sql => sql`delete from service_keys where id = ${id}`)
    t.equal((await ask(header)).status, 200)
    a.clock.shift(5_000)
    t.match(await ask(header), { status: 401, body: { error: 'invalid_client' } })
    a.clock.shift(-5_000)
  })
  await t.test('not when it has expired, and not where it is the wrong one', async t => {
    const { header } = await issueKey('2020-01-01T00:00:00Z')
    t.equal((await ask(header)).status, 401)
    t.equal((await ask({ 'x-api-key': mintServiceKey(a.deps.keys.serviceKey).key })).status, 401)
  })
  await t.test('which is noted at most once a minute', async t => {
    const { id, header } = await issueKey(null)
    t.equal(await usedAt(id), null)
    await Promise.all(Array.from({ length: 16 }, () => ask(header)))
    const first = await usedAt(id)
    t.ok(first)
    a.clock.shift(6_000)
    t.equal((await ask(header)).status, 200)
    t.equal(await usedAt(id), first)
    await a.asOwner(sql => sql`update service_keys set last_used_at = now() - interval '61 seconds' where id = ${id}`)
    const aged = await usedAt(id)
    a.clock.shift(6_000)
    t.equal((await ask(header)).status, 200)
    t.not(await usedAt(id), aged)
    a.clock.shift(-12_000)
  })
})

t.test('bad forms are refused in the form of RFC 6749', async t => {
  const key = { 'x-api-key': serviceKey }
  const isRefused = (answer: Awaited<ReturnType<typeof send>>, what: string, status = 400) => {
    t.equal(answer.status, status, what)
    t.same(Object.keys(answer.body), ['error', 'error_description'], what)
    t.equal(answer.body.error, 'invalid_request', what)
    t.match(answer.body.error_description, /^[ !#-[\]-~]+$/, what)
    t.equal(answer.headers['cache-control'], 'no-store', what)
  }
  for (const path of ['introspect', 'revoke']) {
    await t.test(path, async () => {
      for (const form of ['', 'token=', 'token_type_hint=access_token', 'Token=x', '=x', '&&&', '%', 'token'])
        isRefused(await send(path, form, key), `I-01 ${form}`)
      for (const form of ['token=a&token=b', 'token=a&token_type_hint=x&token_type_hint=y', 'token=a&x=1&x=2'])
        isRefused(await send(path, form, key), `twice: ${form}`)
      isRefused(await send(path, `token=${'x'.repeat(8_193)}`, key), 'a token of 8 kB')
      isRefused(await send(path, 'token=a%00b', key), 'I-02 NUL')
      isRefused(await send(path, `token=x&padding=${'x'.repeat(70_000)}`, key), 'over 64 kB', 413)
      for (const type of ['application/json', 'text/plain', 'multipart/form-data', 'application/xml', 'garbage', ''])
        isRefused(await send(path, '{"token":"x"}', { ...key, 'content-type': type }), `I-03 ${type}`)
      t.equal((await send(path, 'token=x&resource=y&__proto__=z&constructor=z', key)).status, 200, 'I-05, unknown ones')
      t.notOk(Object.hasOwn(Object.prototype, 'z'))
    })
  }
  await t.test('and H-04 a token in the address is none', async () => {
    const { access_token: token } = await a.signIn('ada@example.com')
    isRefused(await send(`introspect?token=${token}`, '', key), 'introspect')
    isRefused(await send(`revoke?token=${token}`, '', key), 'revoke')
    t.equal((await introspect(token)).body.active, true)
  })
})
