/** The document of scalable-auth from top to bottom, as its callers walk it: only the base URLs are ours. */
import { plantCanary, plantSecretsOf } from '@signet/testkit'
import type { Test } from 'tap'
import { readFirstAdmin } from '../../src/credentials-file.ts'
import { codeFor } from '../../src/demo/ways-in-story.ts'
import { type Replay, testCompleteness } from '../replay.ts'

/** A token is taken for half a minute more, which is enough for what one is used for here. */
export const accessTokenTtlSeconds = 4

interface Answer {
  readonly status: number
  readonly headers: Headers
  // oxlint-disable-next-line typescript/no-explicit-any -- answers of all shapes; the tests compare every member they read
  readonly body: any
}

interface Sent {
  readonly token?: string
  readonly body?: object
  /** What stands in the place of `{name}`. */
  readonly at?: Readonly<Record<string, string>>
  readonly query?: string
}

export async function walkScalableAuth(t: Test, replay: Replay): Promise<void> {
  const { home, walked } = replay
  const { iam, admin, places } = replay.addresses
  const first = await readFirstAdmin(home.adminFile)
  if (first === undefined) throw new Error('There is no first administrator.')

  async function call(base: string, method: string, pattern: string, { token, body, at = {}, query = '' }: Sent = {}) {
    walked.add(`${method} ${pattern}`)
    const path = pattern.replace(/\{(\w+)\}/g, (_whole, name: string) => encodeURIComponent(at[name] ?? ''))
    const response = await fetch(`${base}${path}${query}`, {
      method,
      headers: {
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(10_000),
    })
    const text = await response.text()
    const answer: Answer = {
      status: response.status,
      headers: response.headers,
      body: text === '' ? null : JSON.parse(text),
    }
    if (answer.status < 300) plantSecretsOf([body ?? {}, answer.body])
    return answer
  }
  const post = (pattern: string, sent?: Sent) => call(iam, 'POST', pattern, sent)
  const administer = (method: string, path: string, token: string, body?: object) =>
    call(admin, method, `/admin/v1${path}`, { token, ...(body === undefined ? {} : { body }) })

  const password = 'amber ferry by the quay'
  const claimsOf = (token: string) => JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString())

  /** The code that a number gets, as `{number}` and `{otp}` of an address or as members of a body. */
  async function askForCode(number: string): Promise<string> {
    const sent = await post('/auth/otp/sendotp/{number}', { at: { number } })
    t.match(sent, { status: 200, body: { detail: 'OTP sent' } })
    const code = await codeFor(home.outbox, number)
    plantCanary('code', code)
    return code
  }
  /** Signed in anew: tokens live for seconds here. */
  async function login(kind: string, username: string, secret = password): Promise<string> {
    const answer = await post(`/auth/${kind}/login`, { body: { username, password: secret } })
    t.match(answer, { status: 200, body: { detail: 'Login successful', token: /^ey/ } }, `${kind} ${username}`)
    return answer.body.token
  }
  async function untilExpired(token: string): Promise<void> {
    const expiresAtMs = claimsOf(token).exp * 1_000
    while (Date.now() <= expiresAtMs) await new Promise(resolve => setTimeout(resolve, 50))
  }
  let kept: string | undefined
  /** A token of the administrator that is made here; a new one where the last has expired. */
  async function asha(): Promise<string> {
    if (kept === undefined || claimsOf(kept).exp * 1_000 < Date.now()) kept = await login('admin', 'asha')
    return kept
  }
  const loginSuperAdmin = () => login('admin', first.email, first.password)
  const readPlaces = async (token: string) => call(places, 'GET', '/mapdirectory/places/all', { token })

  t.test('the code by SMS', async t => {
    const number = '+919876543210'
    const code = await askForCode(number)

    await t.test('goes to no number that is none, in the form of FastAPI', async t => {
      t.match(await post('/auth/otp/sendotp/{number}', { at: { number: '12345' } }), {
        status: 422,
        body: { detail: [{ loc: ['path', 'number'], msg: /mobile number/, type: 'value_error' }] },
      })
    })
    await t.test('is refused where it is wrong', async t => {
      const otp = code === '000000' ? '000001' : '000000'
      t.strictSame((await post('/auth/user/login/{number}/{otp}', { at: { number, otp } })).body, {
        detail: "OTP didn't match",
      })
    })
    await t.test('makes a person of whoever is new and signs them in, also by the ten digits', async t => {
      const made = await post('/auth/user/login/{number}/{otp}', { at: { number: '9876543210', otp: code } })
      t.match(made, { status: 200, body: { detail: 'Login successful', token: /^ey/ } })
      t.equal(made.headers.get('deprecation'), '@1767225600')
      t.match(made.headers.get('link'), '</api/v1/otp/verifications>; rel="successor-version"')
      const me = await call(iam, 'GET', '/api/v1/me', { token: made.body.token })
      t.match(me, { status: 200, body: { phone: number, kind: 'user' } })
    })
    await t.test('works once', async t => {
      const again = await post('/auth/user/login/{number}/{otp}', { at: { number, otp: code } })
      t.match(again, { status: 401, body: { detail: "OTP didn't match" } })
    })
  })

  t.test('administrators', async t => {
    const body = { username: 'asha', password, number: '9811111111', unknown: 'ignored' }
    await t.test('are made by super admins', async t => {
      t.match(await post('/auth/admin/create', { body, token: await loginSuperAdmin() }), {
        status: 200,
        body: { detail: 'Administrator created', id: /^[0-9a-f-]{36}$/ },
      })
    })
    await t.test('and by nobody else', async t => {
      t.match(await post('/auth/admin/create', { body }), { status: 401, body: { detail: /./ } })
      const refused = await post('/auth/admin/create', { body: { ...body, username: 'other' }, token: await asha() })
      t.match(refused, { status: 403, body: { detail: /super_admin/ } })
    })
    await t.test('are there once', async t => {
      const taken = await post('/auth/admin/create', { body, token: await loginSuperAdmin() })
      t.match(taken, { status: 409, body: { detail: /./ } })
    })
    await t.test('sign in with username and password, or with number and code', async t => {
      t.match(claimsOf(await login('admin', 'asha')), { kind: 'user', roles: ['admin', 'member'] })
      const code = await askForCode('+919811111111')
      const entered = await post('/auth/admin/login', { body: { number: '9811111111', otp: code } })
      t.match(entered, { status: 200, body: { detail: 'Login successful', token: /^ey/ } })
      await login('admin', 'asha')
    })
    await t.test('are refused with the wrong one, or with half of it', async t => {
      t.match(await post('/auth/admin/login', { body: { username: 'asha', password: 'wrong' } }), {
        status: 401,
        body: { detail: 'Incorrect username or password' },
      })
      t.match(await post('/auth/admin/login', { body: { username: 'asha' } }), {
        status: 422,
        body: { detail: [{ loc: ['body', 'username'] }, { loc: ['body', 'password'], type: 'missing' }] },
      })
    })
  })

  const made: Record<'client' | 'subclient', string> = { client: '', subclient: '' }

  t.test('clients', async t => {
    const body = { username: 'volta', password, number: '9822222222', name: 'Volta' }
    await t.test('are made by administrators', async t => {
      const created = await post('/auth/client/create', { body, token: await asha() })
      t.match(created, { status: 200, body: { detail: 'Client created' } })
      made.client = created.body.id
    })
    await t.test('and not by clients', async t => {
      const token = await login('client', 'volta')
      t.match(await post('/auth/client/create', { body: { ...body, username: 'other' }, token }), {
        status: 403,
        body: { detail: /sub-clients and nothing else/ },
      })
    })
    await t.test('sign in with username and password, or with number and code', async t => {
      t.match(claimsOf(await login('client', 'volta')), { kind: 'client' })
      const code = await askForCode('+919822222222')
      t.equal((await post('/auth/client/login', { body: { mobile_number: '9822222222', code } })).status, 200)
    })
    await t.test('at a door of their own', async t => {
      for (const door of ['admin', 'subclient']) {
        const refused = await post(`/auth/${door}/login`, { body: { username: 'volta', password } })
        t.match(refused, { status: 401, body: { detail: 'Incorrect username or password' } }, door)
      }
      t.equal((await post('/auth/client/login', { body: { username: 'asha', password } })).status, 401)
    })
  })

  t.test('sub-clients', async t => {
    const body = { username: 'volta-north', password, number: '9833333333' }
    await t.test('are made by their client', async t => {
      const created = await post('/auth/subclient/create', { body, token: await login('client', 'volta') })
      t.match(created, { status: 200, body: { detail: 'Sub-client created' } })
      made.subclient = created.body.id
    })
    await t.test('and by administrators, who say whose', async t => {
      const token = await asha()
      const other = { username: 'volta-south', password }
      t.match(await post('/auth/subclient/create', { body: other, token }), {
        status: 422,
        body: { detail: [{ loc: ['body', 'client_id'], type: 'missing' }] },
      })
      const named = { ...other, client_id: made.client }
      t.equal((await post('/auth/subclient/create', { body: named, token })).status, 200)
      t.match(await post('/auth/subclient/create', { body: { ...named, client_id: made.subclient }, token }), {
        status: 404,
        body: { detail: /./ },
      })
    })
    await t.test('and not by sub-clients', async t => {
      const token = await login('subclient', 'volta-north')
      t.equal((await post('/auth/subclient/create', { body: { ...body, username: 'deeper' }, token })).status, 403)
    })
    await t.test('sign in with username and password, or with number and code', async t => {
      t.match(claimsOf(await login('subclient', 'volta-north')), { kind: 'sub_client', client: { sub: made.client } })
      const code = await askForCode('+919833333333')
      t.equal((await post('/auth/subclient/login', { body: { phone: '+919833333333', otp: code } })).status, 200)
    })
  })

  t.test('policies for clients and sub-clients, of which the document names no route', async t => {
    const statement = 'principal in ?principal, action == Action::"places:read", resource'
    const create = async (name: string, effect: string) =>
      administer('POST', '/policies', await asha(), { name, source: `${effect} (${statement});` })
    const permit = await create('reads the map', 'permit')
    const forbid = await create('sees no map', 'forbid')
    t.same([permit.status, forbid.status], [201, 201])
    const attach = async (kind: 'client' | 'subclient', { body }: Answer) =>
      administer('PUT', `/users/${made[kind]}/policies/${body.id}`, await asha())
    const mapFor = async () => [
      (await readPlaces(await login('client', 'volta'))).status,
      (await readPlaces(await login('subclient', 'volta-north'))).status,
    ]
    t.same(await mapFor(), [403, 403])
    t.equal((await attach('subclient', permit)).status, 204)
    t.same(await mapFor(), [403, 403], 'a sub-client never surpasses its client')
    t.equal((await attach('client', permit)).status, 204)
    t.same(await mapFor(), [200, 200])
    t.equal((await attach('subclient', forbid)).status, 204)
    t.same(await mapFor(), [200, 403])
    const { status } = await administer('DELETE', `/users/${made.subclient}/policies/${forbid.body.id}`, await asha())
    t.equal(status, 204)
    t.same(await mapFor(), [200, 200])
    const { body: listed } = await administer('GET', `/users/${made.client}/policies`, await asha())
    t.match(listed, { items: [{ id: permit.body.id, name: 'reads the map' }] })
    const own = { name: 'mine', source: `permit (${statement});` }
    t.equal((await administer('POST', '/policies', await login('client', 'volta'), own)).status, 403)
  })

  t.test('the refresh key', async t => {
    const token = await login('client', 'volta')
    const set = (key: string, query = '') =>
      post('/user/access/setrefreshkey/{new_key}', { token, at: { new_key: key }, query })
    const regenerate = (bearer: string | undefined, key: string) =>
      post('/user/access/regeneratetoken/{refresh_key}', {
        at: { refresh_key: key },
        ...(bearer === undefined ? {} : { token: bearer }),
      })

    await t.test('has digits only, at least four', async t => {
      for (const key of ['123', 'abcd'])
        t.match(await set(key), { status: 422, body: { detail: [{ loc: ['path', 'new_key'] }] } }, key)
    })
    await t.test('is set once, and changed with the old one', async t => {
      t.match(await set('48151'), { status: 200, body: { detail: 'Refresh key set' } })
      t.match(await set('62342'), { status: 401, body: { detail: "Old key didn't match" } })
      t.match(await set('62342', '?old_key=1111'), { status: 401, body: { detail: "Old key didn't match" } })
      t.equal((await set('62342', '?old_key=48151')).status, 200)
    })
    await t.test('renews nothing while the token lives', async t => {
      const living = await login('client', 'volta')
      t.match(await regenerate(living, '62342'), { status: 403, body: { detail: /not expired/ } })
    })
    await t.test('renews the token that has expired', async t => {
      const without = await login('subclient', 'volta-north')
      await untilExpired(without)
      const renewed = await regenerate(token, '62342')
      t.match(renewed, { status: 200, body: { detail: 'Token regenerated', token: /^ey/ } })
      t.match(claimsOf(renewed.body.token), { sub: claimsOf(token).sub, sid: claimsOf(token).sid })
      t.equal((await readPlaces(renewed.body.token)).status, 200)
      t.match(await regenerate(without, '62342'), { status: 403, body: { detail: 'No refresh key is set' } })
    })
    await t.test('is refused where it is wrong, without a token, and with one that nobody signed', async t => {
      t.match(await regenerate(token, '11111'), { status: 401, body: { detail: "Refresh key didn't match" } })
      t.match(await regenerate(undefined, '62342'), { status: 401, body: { detail: /./ } })
      t.match(await regenerate(`${token.slice(0, -8)}AAAAAAAA`, '62342'), { status: 401, body: { detail: /./ } })
    })
    await t.test('ends the session with the fifth wrong one in a row', async t => {
      for (let guess = 2; guess <= 5; guess += 1) t.equal((await regenerate(token, '11111')).status, 401)
      t.equal((await regenerate(token, '62342')).status, 401)
    })
  })

  t.test('all places are a bare list', async t => {
    const answer = await readPlaces(await asha())
    t.equal(answer.status, 200)
    t.ok(Array.isArray(answer.body))
    const kinds = new Set(answer.body.map((place: { kind: string }) => place.kind))
    t.strictSame(kinds, new Set(['ev_charger', 'swap_station']))
    t.match(await call(places, 'GET', '/mapdirectory/places/all'), { status: 401, body: { detail: /./ } })

    await t.test('for everybody, where a policy of an administrator says so', async t => {
      const number = '+919844444444'
      const otp = await askForCode(number)
      const { body: driver } = await post('/auth/user/login/{number}/{otp}', { at: { number, otp } })
      t.match(await readPlaces(driver.token), { status: 403, body: { detail: /places:read/ } })
      const source = 'permit (principal, action == Action::"places:read", resource);'
      const opened = await administer('POST', '/policies', await asha(), { name: 'open map', source })
      t.equal(opened.status, 201)
      const set = await post('/user/access/setrefreshkey/{new_key}', { token: driver.token, at: { new_key: '271828' } })
      t.equal(set.status, 200)
      await untilExpired(driver.token)
      const at = { refresh_key: '271828' }
      const again = await post('/user/access/regeneratetoken/{refresh_key}', { token: driver.token, at })
      t.equal((await readPlaces(again.body.token)).status, 200, 'the next token says it')
    })
  })

  t.test('the root answers', async t => {
    t.match(await call(iam, 'GET', '/'), { status: 200, body: { detail: /./ } })
  })

  testCompleteness(t, replay, ['scalable-auth', 12], text =>
    Array.from(text.matchAll(/^- \*\*[^*]+\*\*: `([^`]+)` \(([A-Z]+)\)$/gm), ([, path, method]) => `${method} ${path}`),
  )
}
