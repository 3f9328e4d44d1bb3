import t, { type Test } from 'tap'
import { newId, type TenantId } from '@signet/kernel'
import type { CookieSettings } from '../src/deps.ts'
import { issuer, password, type TestApp, testApp } from './test-app.ts'

type Cookies = Record<string, string>
interface Given {
  readonly cookies?: Cookies
  readonly body?: object | string
  readonly headers?: Record<string, string>
}

const crossSite = { 'sec-fetch-site': 'cross-site' }
const browser = (a: TestApp) => ({
  /** @returns what was answered, with the cookies that it sets as a browser reads them */
  async call(method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE', url: string, given: Given = {}) {
    const pairs = Object.entries(given.cookies ?? {}).map(([name, value]) => `${name}=${value}`)
    const answer = await a.app.inject({
      method,
      url,
      headers: { ...(pairs.length === 0 ? {} : { cookie: pairs.join('; ') }), ...given.headers },
      ...(given.body === undefined ? {} : { payload: given.body }),
    })
    const lines = [answer.headers['set-cookie'] ?? []].flat()
    const body = answer.body === '' ? undefined : answer.json()
    return { status: answer.statusCode, body, lines, set: Object.fromEntries<string>(lines.map(readCookie)) }
  },
})

function readCookie(line: string): [name: string, value: string] {
  const pair = line.split(';')[0] ?? ''
  return [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]
}

async function signedIn(t: Test, settings?: Partial<CookieSettings>, allowedOrigins: readonly string[] = []) {
  const cookies = { secure: false, domain: undefined, prefix: '', ...settings }
  const a = await testApp(t, { deps: { cookies }, allowedOrigins })
  await a.register({ email: 'ada@example.com' })
  const b = browser(a)
  const answer = await b.call('POST', '/api/v1/tokens', { body: { email: 'ada@example.com', password, cookies: true } })
  t.equal(answer.status, 200)
  return { a, b, answer }
}

t.test('signing in with cookies', async t => {
  const { a, b, answer } = await signedIn(t)
  await t.test('H-04 puts both tokens into cookies with exactly these flags, and into no answer', async t => {
    const [access, refresh, ...others] = answer.lines
    t.match(access, /^access_token=[\w.-]+; Max-Age=900; Path=\/; HttpOnly; SameSite=Lax$/)
    t.match(refresh, /^refresh_token=[\w-]+; Max-Age=\d+; Path=\/; HttpOnly; SameSite=Lax$/)
    t.same(others, [])
    t.same(answer.body, { token_type: 'Bearer', expires_in: 900, refresh_expires_in: 432_000 })
  })
  await t.test('is one session, whether its tokens come in cookies or by name', async t => {
    const [me, byBearer] = await Promise.all([
      b.call('GET', '/api/v1/me', { cookies: answer.set }),
      a.call('GET', '/api/v1/me', { token: String(answer.set['access_token']) }),
    ])
    t.equal(me.status, 200)
    t.same(me.body, byBearer.body)
    const renamed = await b.call('PATCH', '/api/v1/me', { cookies: answer.set, body: { name: 'Ada' } })
    t.match(renamed, { status: 200, body: { name: 'Ada' }, lines: [] })
  })
  await t.test('without asking for them sets none', async t => {
    for (const asked of [{}, { cookies: false }]) {
      const plain = await b.call('POST', '/api/v1/tokens', { body: { email: 'ada@example.com', password, ...asked } })
      t.match(plain, { status: 200, lines: [], body: { access_token: /^ey/, refresh_token: /./ } })
    }
  })
  await t.test('that fails sets none', async t => {
    const failed = { email: 'ada@example.com', password: 'not the password', cookies: true }
    t.match(await b.call('POST', '/api/v1/tokens', { body: failed }), { status: 401, lines: [] })
  })
  await t.test('the cookie set twice is refused rather than chosen from', async t => {
    const { access_token: token } = answer.set
    const cookie = `access_token=${token}; access_token=${token}`
    t.match(await b.call('GET', '/api/v1/me', { headers: { cookie } }), { status: 401, body: { code: 'malformed' } })
  })
})

t.test('the flags follow the settings', async t => {
  await t.test('with COOKIE_SECURE and COOKIE_DOMAIN', async t => {
    const { answer, b } = await signedIn(t, { secure: true, domain: 'example.com' })
    const flags = 'Domain=example.com; Path=/; HttpOnly; Secure; SameSite=Lax'
    t.ok(
      answer.lines.every(line => line.endsWith(flags)),
      answer.lines.join('\n'),
    )
    const out = await b.call('POST', '/api/v1/tokens/revoke', { cookies: answer.set })
    t.same(out.lines, [
      `access_token=; Max-Age=0; Domain=example.com; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT; HttpOnly; Secure; SameSite=Lax`,
      `refresh_token=; Max-Age=0; Domain=example.com; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT; HttpOnly; Secure; SameSite=Lax`,
    ])
  })
  await t.test('with COOKIE_PREFIX __Host-, and then the plain names mean nothing', async t => {
    const { answer, b } = await signedIn(t, { secure: true, prefix: '__Host-' })
    t.same(Object.keys(answer.set), ['__Host-access_token', '__Host-refresh_token'])
    t.ok(answer.lines.every(line => line.endsWith('; Path=/; HttpOnly; Secure; SameSite=Lax')))
    const plain = {
      access_token: String(answer.set['__Host-access_token']),
      refresh_token: String(answer.set['__Host-refresh_token']),
    }
    t.equal((await b.call('GET', '/api/v1/me', { cookies: plain })).status, 401)
    t.equal((await b.call('POST', '/api/v1/tokens/refresh', { cookies: plain })).status, 401)
    t.equal((await b.call('GET', '/api/v1/me', { cookies: answer.set })).status, 200)
    const next = await b.call('POST', '/api/v1/tokens/refresh', { cookies: answer.set })
    t.same(Object.keys(next.set), ['__Host-access_token', '__Host-refresh_token'])
  })
})

t.test('refreshing by cookie', async t => {
  const { a, b, answer } = await signedIn(t)
  let jar = answer.set
  await t.test('needs no body, and takes an empty one', async t => {
    for (const body of [undefined, {}]) {
      const next = await b.call('POST', '/api/v1/tokens/refresh', { cookies: jar, ...(body && { body }) })
      t.same(next.body, { token_type: 'Bearer', expires_in: 900, refresh_expires_in: 432_000 })
      t.same(Object.keys(next.set), ['access_token', 'refresh_token'])
      t.not(next.set['refresh_token'], jar['refresh_token'])
      jar = next.set
      t.equal((await b.call('GET', '/api/v1/me', { cookies: jar })).status, 200)
    }
  })
  await t.test('leaves the cookies alone where the token is in the body', async t => {
    const other = await a.signIn('ada@example.com')
    const byBody = await b.call('POST', '/api/v1/tokens/refresh', {
      cookies: jar,
      body: { refresh_token: other.refresh_token },
    })
    t.match(byBody, { status: 200, lines: [], body: { access_token: /^ey/, refresh_token: /./ } })
    const wrong = await b.call('POST', '/api/v1/tokens/refresh', { cookies: jar, body: { refresh_token: 'x' } })
    t.match(wrong, { status: 401, lines: [], body: { code: 'invalid-refresh-token' } })
    const out = await b.call('POST', '/api/v1/tokens/revoke', {
      cookies: jar,
      body: { refresh_token: byBody.body.refresh_token },
    })
    t.match(out, { status: 204, lines: [] })
    t.equal((await b.call('POST', '/api/v1/tokens/refresh', { cookies: jar })).status, 200, 'its session goes on')
  })
  await t.test('without a cookie is refused, and there is nothing to clear', async t => {
    for (const given of [{}, { body: {} }, { cookies: { theme: 'dark' } }]) {
      t.match(await b.call('POST', '/api/v1/tokens/refresh', given), {
        status: 401,
        lines: [],
        body: { code: 'invalid-refresh-token' },
      })
    }
  })
  await t.test('that fails takes the cookies away', async t => {
    const fresh = async () =>
      (await b.call('POST', '/api/v1/tokens', { body: { email: 'ada@example.com', password, cookies: true } })).set
    const spent = await fresh()
    await b.call('POST', '/api/v1/tokens/refresh', { cookies: spent })
    await a.asOwner(sql => sql`update refresh_tokens set rotated_at = rotated_at - interval '1 minute'`)
    const ended = await fresh()
    await a.post('/api/v1/tokens/revoke', { refresh_token: ended['refresh_token'] })
    const cases = {
      'refresh-token-reused': spent,
      'session-ended': ended,
      'invalid-refresh-token': { refresh_token: 'nonsense' },
    }
    for (const [code, cookies] of Object.entries(cases)) {
      const failed = await b.call('POST', '/api/v1/tokens/refresh', { cookies })
      t.match(failed, { status: 401, body: { code } })
      t.same(failed.set, { access_token: '', refresh_token: '' }, code)
      t.ok(failed.lines.every(line => /; Expires=Thu, 01 Jan 1970 /.test(line)))
    }
  })
})

t.test('signing out by cookie ends the session and takes the cookies away, with a body or without', async t => {
  const { b, answer } = await signedIn(t)
  const fresh = async () =>
    (await b.call('POST', '/api/v1/tokens', { body: { email: 'ada@example.com', password, cookies: true } })).set
  for (const [cookies, body] of [
    [answer.set, undefined],
    [await fresh(), {}],
  ] as const) {
    const out = await b.call('POST', '/api/v1/tokens/revoke', { cookies, ...(body && { body }) })
    t.match(out, { status: 204, set: { access_token: '', refresh_token: '' } })
    t.match(await b.call('GET', '/api/v1/me', { cookies }), { status: 401, body: { code: 'session-ended' } })
    t.match(await b.call('POST', '/api/v1/tokens/refresh', { cookies }), { body: { code: 'session-ended' } })
  }
  t.match(await b.call('POST', '/api/v1/tokens/revoke'), { status: 204, lines: [] }, 'nothing to end, nothing to clear')
  const { access_token: left = '' } = await fresh()
  t.match(await b.call('POST', '/api/v1/tokens/revoke', { cookies: { access_token: left } }), {
    status: 204,
    set: { access_token: '', refresh_token: '' },
  })
})

t.test('another tenant is entered as one came: by cookie into cookies, by bearer into the answer', async t => {
  const { a, b, answer } = await signedIn(t)
  const tenant = newId<TenantId>()
  await a.asOwner(sql => sql`insert into tenants (id, slug, name) values (${tenant}, 'beta', 'Beta')`)
  await a.asOwner(
    sql =>
      sql`insert into memberships (tenant_id, id, user_id) select ${tenant}, ${newId()}, id from users where email = 'ada@example.com'`,
  )
  const body = { tenant_id: tenant }
  const byCookie = await b.call('POST', '/api/v1/tokens/tenant', { cookies: answer.set, body })
  t.same(Object.keys(byCookie.body), ['token_type', 'expires_in', 'refresh_expires_in'])
  t.match((await b.call('GET', '/api/v1/me', { cookies: byCookie.set })).body, { tenant: { id: tenant } })
  const authorization = `Bearer ${answer.set['access_token']}`
  const byBearer = await b.call('POST', '/api/v1/tokens/tenant', { headers: { authorization }, body })
  t.match(byBearer, { status: 200, lines: [], body: { access_token: /^ey/ } })
})

t.test('H-03 what another site sends by cookie does nothing', async t => {
  const listed = 'https://app.example.org'
  const { a, b, answer } = await signedIn(t, undefined, [listed])
  const { set: cookies } = answer
  const calls = [
    ['POST', '/api/v1/tokens/refresh', undefined],
    ['POST', '/api/v1/tokens/revoke', undefined],
    ['POST', '/api/v1/tokens/tenant', { tenant_id: a.company }],
    ['PATCH', '/api/v1/me', { name: 'Mallory' }],
    ['PUT', '/api/v1/me/password', { current_password: password, new_password: 'another quiet harbour' }],
    ['DELETE', '/api/v1/sessions', undefined],
  ] as const
  for (const headers of [crossSite, { origin: 'https://evil.example' }, { origin: 'null' }]) {
    for (const [method, url, body] of calls) {
      const refused = await b.call(method, url, { cookies, headers, ...(body && { body }) })
      t.match(refused, { status: 403, lines: [], body: { code: 'cross-site-request' } }, `${method} ${url}`)
    }
  }
  const signIn = { email: 'ada@example.com', password, cookies: true }
  t.match(await b.call('POST', '/api/v1/tokens', { body: signIn, headers: crossSite }), { status: 403, lines: [] })
  t.match(await b.call('GET', '/api/v1/me', { cookies }), { status: 200, body: { name: null } })
  await t.test('and what nobody says is cross-site is served', async t => {
    for (const headers of [{}, { 'sec-fetch-site': 'same-origin' }, { origin: issuer }]) {
      const renamed = await b.call('PATCH', '/api/v1/me', { cookies, headers, body: { name: 'Ada' } })
      t.match(renamed, { status: 200, body: { name: 'Ada' } })
    }
  })
  await t.test(
    'but for a page that the operator has listed, whose browser asks beforehand without a cookie',
    async t => {
      const asked = await a.app.inject({
        method: 'OPTIONS',
        url: '/api/v1/me',
        headers: { origin: listed, 'access-control-request-method': 'PATCH' },
      })
      t.match(asked, { statusCode: 204, headers: { 'access-control-allow-origin': listed } })
      const headers = { ...crossSite, origin: listed }
      const renamed = await b.call('PATCH', '/api/v1/me', { cookies, headers, body: { name: 'Grace' } })
      t.match(renamed, { status: 200, body: { name: 'Grace' } })
      t.equal((await b.call('POST', '/api/v1/tokens', { body: signIn, headers })).lines.length, 2)
    },
  )
})
