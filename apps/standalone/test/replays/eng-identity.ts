/** The document of eng-identity from top to bottom, as its callers would, with the other services of its platform beside it. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { newId } from '@signet/kernel'
import type { Test } from 'tap'
import { type Jar, type Replay, testCompleteness } from '../replay.ts'

const adminEmail = 'admin@example.com'

/** Services of the platform: what they know of an advisor, and the events that reached them. */
export interface Platform {
  readonly url: string
  isAway: boolean
  /** What they were called with. */
  readonly keys: Set<unknown>
  readonly events: { readonly event_type: string; readonly service: string }[]
}

export async function startPlatform(t: Test): Promise<Platform> {
  const others = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://localhost')
    if (pathname === '/events/ingest') {
      let text = ''
      request.setEncoding('utf8').on('data', part => {
        text += part
      })
      request.on('end', () => {
        platform.events.push(JSON.parse(text))
        response.writeHead(202).end()
      })
      return
    }
    platform.keys.add(request.headers['x-api-key'])
    const answers: Record<string, object> = {
      '/api/v1/clients': {
        clients: [
          { name: 'Old Client', email: 'old@example.com', status: 'Active' },
          { name: 'New Client', email: 'new@example.com', status: 'Pending Review' },
        ],
      },
      '/api/v1/tokens/balance': { balance: 12 },
    }
    const answer = platform.isAway ? undefined : answers[pathname]
    response.writeHead(answer === undefined ? 503 : 200, { 'content-type': 'application/json' })
    response.end(JSON.stringify(answer ?? {}))
  })
  await once(others.listen(0, '127.0.0.1'), 'listening')
  t.teardown(() => others.close())
  const url = `http://127.0.0.1:${(others.address() as AddressInfo).port}`
  const platform: Platform = { url, isAway: false, keys: new Set(), events: [] }
  return platform
}

/** What an installation has to be told to be one of its services. */
export const settingsOf = ({ url }: Platform, key: string): Readonly<Record<string, string>> => ({
  INTERNAL_SERVICE_API_KEY: key,
  ADMIN_EMAIL: 'office@example.com',
  ENG_LIFECYCLE_URL: url,
  ENG_BILLING_URL: url,
  ENG_ANALYTICS_URL: url,
})

/** @param key the service key of the settings */
export async function walkEngIdentity(t: Test, replay: Replay, platform: Platform, key: string): Promise<void> {
  const { iam, admin, readMail, home, addresses } = replay
  const failed = { ok: false, error: String }
  const ofService = { 'x-api-key': key }

  async function readCode(email: string): Promise<string> {
    t.match(await iam('POST', '/auth/request-otp', { body: { email } }), { status: 200, body: { ok: true } })
    return readMail(email, /\b(\d{6})\b/)
  }

  async function signIn(email: string): Promise<Jar> {
    const jar: Jar = new Map()
    const answer = await iam('POST', '/auth/verify-otp', { body: { email, otp: await readCode(email) }, jar })
    t.equal(answer.status, 200, JSON.stringify(answer.body))
    return jar
  }

  t.test('GET / says that it runs', async t => {
    t.match(await iam('GET', '/'), {
      status: 200,
      body: { service: 'eng-identity', status: 'running', detail: String },
    })
  })

  const client: Jar = new Map()
  t.test('signing in by a code', async t => {
    const email = 'client@example.com'
    t.match(await iam('POST', '/auth/request-otp', { body: {} }), {
      status: 400,
      body: { ok: false, error: 'email is required' },
    })
    const code = await readCode(email)
    const wrong = code === '000000' ? '000001' : '000000'
    for (const body of [{ email }, { email, code: wrong }, { email: 'stranger@example.com', code }])
      t.match(await iam('POST', '/auth/verify-otp', { body, jar: client }), { status: 400, body: failed })
    t.equal(client.size, 0)
    const answer = await iam('POST', '/auth/verify-otp', { body: { email, code, remember: true }, jar: client })
    t.equal(answer.status, 200)
    t.same(answer.body, { ok: true, user: { email, role: 'client' } })
    t.same([...client.keys()].toSorted(), ['access_token', 'refresh_token'])
    for (const line of answer.setCookies) t.match(line, /; Path=\/; HttpOnly; SameSite=Lax$/)
    t.match(await iam('POST', '/auth/verify-otp', { body: { email, code } }), { status: 400, body: failed }, 'once')
  })

  t.test('GET /auth/user', async t => {
    const answer = await iam('GET', '/auth/user', { jar: client })
    t.equal(answer.status, 200)
    t.same(answer.body, { ok: true, user: { email: 'client@example.com', role: 'client', is_active: true } })
    const nobody = await iam('GET', '/auth/user')
    t.equal(nobody.status, 401)
    t.same(nobody.body, { ok: false, error: 'Authentication required' })
  })

  t.test('POST /auth/refresh', async t => {
    const before = client.get('access_token')
    const answer = await iam('POST', '/auth/refresh', { jar: client })
    t.equal(answer.status, 200)
    t.same(answer.body, { ok: true })
    t.not(client.get('access_token'), before)
    t.match(await iam('POST', '/auth/refresh'), { status: 401, body: failed })
    const own = { origin: addresses.iam, 'sec-fetch-site': 'same-origin' }
    t.equal((await iam('POST', '/auth/refresh', { jar: client, headers: own })).status, 200, 'as a browser asks')
    const foreign = { 'sec-fetch-site': 'cross-site' }
    t.match(await iam('POST', '/auth/refresh', { jar: client, headers: foreign }), { status: 403, body: failed })
  })

  const administrator = await signIn(adminEmail)
  t.test('PATCH /admin/users/{email}', async t => {
    const path = '/admin/users/client@example.com'
    const body = { role: 'advisor' }
    t.match(await admin('PATCH', path, { body, jar: administrator }), {
      status: 200,
      body: { ok: true, message: 'User updated' },
    })
    t.match((await iam('GET', '/auth/user', { jar: client })).body, { user: { role: 'advisor' } })
    t.match(await admin('PATCH', '/admin/users/nobody@example.com', { body, jar: administrator }), {
      status: 404,
      body: { ok: false, error: 'User not found' },
    })
    t.match(await admin('PATCH', path, { body: { role: 'king' }, jar: administrator }), { status: 400, body: failed })
    t.match(await admin('PATCH', path, { body, jar: client }), { status: 403, body: failed })
    t.match(await admin('PATCH', path, { body }), { status: 401, body: failed })
    const foreign = { origin: 'https://elsewhere.example' }
    t.match(await admin('PATCH', path, { body, jar: administrator, headers: foreign }), { status: 403, body: failed })
    t.match((await iam('POST', '/auth/refresh', { jar: client })).status, 200)
  })

  t.test('whoever is not active hears so with the right code alone', async t => {
    const email = 'idle@example.com'
    await iam('POST', '/api/v1/users', { body: { email, password: 'a quiet green harbour' } })
    const code = await readCode(email)
    const change = (is_active: boolean) =>
      admin('PATCH', `/admin/users/${email}`, { body: { is_active }, jar: administrator })
    t.equal((await change(false)).status, 200)
    t.equal((await change(false)).status, 200, 'and it stays so')
    const wrong = code === '000000' ? '000001' : '000000'
    t.match(await iam('POST', '/auth/verify-otp', { body: { email, code: wrong } }), { status: 400, body: failed })
    t.match(await iam('POST', '/auth/verify-otp', { body: { email, code } }), { status: 403, body: failed })
    t.equal((await change(true)).status, 200)
  })

  t.test('POST /api/v1/advisor/request-client-token', async t => {
    const path = '/api/v1/advisor/request-client-token'
    const body = { client_name: 'Carl Client', client_email: 'carl@example.com', reason: 'Tax return' }
    const answer = await iam('POST', path, { body, jar: client })
    t.equal(answer.status, 200)
    t.same(answer.body, { ok: true, message: 'An invitation token has been sent to carl@example.com' })
    const token = await readMail('carl@example.com', /(sct_[\w-]+)/)
    t.match(await iam('POST', '/auth/client-token', { body: { token } }), { status: 200 })
    t.match(await iam('POST', '/auth/client-token', { body: { token } }), { status: 401 }, 'once')
    t.match(await iam('POST', path, { body: {}, jar: client }), {
      status: 400,
      body: { ok: false, error: /client_name.*client_email.*reason/ },
    })
    const bystander = await signIn('bystander@example.com')
    t.match(await iam('POST', path, { body, jar: bystander }), { status: 403, body: failed })
    t.match(await iam('POST', path, { body }), { status: 401, body: failed })
    t.match(await admin('GET', '/api/v1/advisor/dashboard', { jar: bystander }), { status: 403, body: failed })
  })

  t.test('GET /api/v1/advisor/dashboard', async t => {
    const path = '/api/v1/advisor/dashboard'
    const known = await admin('GET', path, { jar: client })
    t.equal(known.status, 200)
    t.match(known.body, {
      ok: true,
      dashboard_data: {
        stats: { active_clients: 3, pending_reviews: 1, tokens_remaining: 12 },
        clients: [
          { email: 'old@example.com', status: 'Active' },
          { email: 'new@example.com', status: 'Pending Review' },
          { email: 'carl@example.com', name: 'Carl Client', status: 'Active' },
        ],
      },
    })
    t.same([...platform.keys], [key])
    t.match(await admin('GET', path), { status: 401, body: failed })
    platform.isAway = true
    t.match((await admin('GET', path, { jar: client })).body, {
      ok: true,
      dashboard_data: { stats: { active_clients: 1, tokens_remaining: 0 }, clients: [{ email: 'carl@example.com' }] },
    })
    const alone = await signIn('alone@example.com')
    await admin('PATCH', '/admin/users/alone@example.com', { body: { role: 'advisor' }, jar: administrator })
    t.match(await admin('GET', path, { jar: alone }), { status: 503, body: failed })
  })

  t.test('POST /api/v1/send-system-email', async t => {
    const path = '/api/v1/send-system-email'
    const body = { recipient: 'visitor@example.com', subject: 'Hello', body_text: 'Your form has arrived.' }
    t.match(await iam('POST', path, { body, headers: ofService }), { status: 200, body: { ok: true, message: String } })
    t.ok(await readMail('visitor@example.com', /(Your form has arrived)/))
    const { recipient: _, ...withoutRecipient } = body
    t.equal((await iam('POST', path, { body: withoutRecipient, headers: ofService })).status, 200)
    t.ok(await readMail('office@example.com', /(Your form has arrived)/))
    t.match(await iam('POST', path, { body: {}, headers: ofService }), {
      status: 400,
      body: { ok: false, error: /subject is required.*body_text is required/ },
    })
    for (const headers of [{}, { 'x-api-key': 'wrong' }])
      t.match(await iam('POST', path, { body, headers }), { status: 401, body: failed })
  })

  t.test('GET /gateway/routes', async t => {
    const { status, body } = await admin('GET', '/gateway/routes')
    t.equal(status, 200)
    t.match(body, {
      'eng-identity': home.addresses.iam,
      'eng-billing': platform.url,
      billing: platform.url,
      'eng-vault': 'http://localhost:5002',
    })
    for (const name of ['drafting', 'vault', 'billing', 'compliance', 'lifecycle', 'engagement', 'analytics'])
      t.match(body[`eng-${name}`], /^http/)
  })

  t.test('GET /api/v1/brands/{brand_id}', async t => {
    const brand = { name: 'Harbour Advice', logo_url: 'https://cdn.example.com/logo.png', primary_color: '#0a7cff' }
    const made = await admin('POST', '/admin/v1/brands', { body: brand, jar: administrator })
    t.equal(made.status, 201)
    const path = `/api/v1/brands/${made.body.id}`
    const answer = await admin('GET', path, { headers: ofService })
    t.equal(answer.status, 200)
    t.same(answer.body, { ok: true, brand: { id: made.body.id, ...brand } })
    t.match(await admin('GET', path, { jar: administrator }), { status: 401, body: failed })
    t.match(await admin('GET', `/api/v1/brands/${newId()}`, { headers: ofService }), { status: 404, body: failed })
    t.match(await admin('GET', '/api/v1/brands/1', { headers: ofService }), { status: 400, body: failed })
  })

  t.test('POST /auth/logout', async t => {
    const before: Jar = new Map(client)
    const answer = await iam('POST', '/auth/logout', { jar: client })
    t.equal(answer.status, 200)
    t.match(answer.body, { ok: true, message: String })
    t.equal(client.size, 0)
    t.equal((await iam('GET', '/auth/user', { jar: before })).status, 401)
    t.equal((await iam('POST', '/auth/refresh', { jar: before })).status, 401)
    const broken: Jar = new Map([
      ['access_token', 'broken'],
      ['refresh_token', 'broken'],
    ])
    t.equal((await iam('POST', '/auth/logout', { jar: broken })).status, 200)
    t.equal(broken.size, 0, 'cookies that are worth nothing are cleared as well')
    t.equal((await iam('POST', '/auth/logout')).status, 200)
  })

  t.test('its events have reached the service that counts', async t => {
    const wanted = ['user.created', 'user.login', 'client.token.requested']
    const deadline = performance.now() + 20_000
    const has = (type: string) => platform.events.some(event => event.event_type === type)
    while (!wanted.every(has) && performance.now() < deadline) await new Promise(resolve => setTimeout(resolve, 20))
    t.same(
      wanted.filter(type => !has(type)),
      [],
    )
    for (const event of platform.events) t.match(event, { event_type: String, payload: Object, service: String })
  })

  testCompleteness(t, replay, ['eng-identity', 9], text =>
    [...text.matchAll(/^\* +`(GET|POST|PUT|PATCH|DELETE) (\/\S+)`/gm)].map(([, method, path]) => `${method} ${path}`),
  )
}
