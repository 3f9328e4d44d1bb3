// What every HTTP adapter has to do, as one table: an adapter's test builds the routes below with its framework and listens;
// the rest is asked over a real socket.

import { once } from 'node:events'
import { type IncomingHttpHeaders, request, type Server } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { createVerifier, type Verifier } from '@signet/verifier'
import { type ProtectedResource, protectedResourceMetadata } from '@signet/verifier/node'
import { createTestIssuer } from '@signet/verifier/testing'
import type { Test } from 'tap'

/**
 * The routes, of which all but those marked `partner` are guarded by `staff`, without a namespace:
 *
 * | route | access | answers |
 * |---|---|---|
 * | `GET /open` | public | `open` |
 * | `GET /mistake` | public | the subject of `principalOf`, which throws |
 * | `GET /maybe` | optional | the subject of `findPrincipal`, or `nobody` |
 * | `GET /maybe-mistake` | optional | the subject of the request's own principal, which throws for nobody |
 * | `GET /partner` | partner: `orders:read` | the subject of the partner |
 * | `GET /me` | a token | the subject of the request's own principal |
 * | `GET /below` | says nothing of its own, where the framework allows that | `below` |
 * | `GET /places` | `places:read` | `places` |
 * | `GET /any` | one of `places:read`, `places:list` | `any` |
 * | `POST /places` | `places:create` | `created `, and the `name` of the JSON body |
 * | `GET /broken` | a token | throws `broken` |
 */
export interface Scenario {
  readonly staff: Verifier
  /** Of the namespace `partner`; takes the cookie `partner_token` too. */
  readonly partner: Verifier
  readonly realm: string
  readonly resourceMetadata: ProtectedResource
  readonly broken: Error
}

export interface Running {
  readonly port: number
  /** What the framework's own error handling was given. */
  readonly errors: readonly unknown[]
}

export type Start = (t: Test, scenario: Scenario) => Promise<Running>

const audience = 'signet'
const headquarters = createTestIssuer({ issuer: 'https://hq.test' })
const branch = createTestIssuer({ issuer: 'https://branch.test' })
const partners = createTestIssuer({ issuer: 'https://partners.test' })

const resourceMetadata = protectedResourceMetadata({
  resource: 'https://api.test/places',
  authorizationServers: [headquarters.issuer, branch.issuer],
  scopes: ['places'],
})
const inChallenge = ', resource_metadata="https://api.test/.well-known/oauth-protected-resource/places"'

const fetchKeys: typeof fetch = async input =>
  (new Request(input).url.startsWith(branch.issuer) ? branch : headquarters).fetch(input)

const bearer = (token: string): string[] => ['authorization', `Bearer ${token}`]
const staffToken = (permissions: readonly string[] = []) => headquarters.token({ sub: 'somebody', permissions })
const partnerToken = partners.token({ sub: 'a partner', permissions: ['orders:read'] })
const reader = bearer(staffToken(['places:read']))

interface Expected {
  readonly status: number
  readonly body?: string
  readonly code?: string
  readonly detail?: string | RegExp
  /** The whole header, but for the metadata at its end. */
  readonly challenge?: string
}

const realm = 'Bearer realm="the places"'
const nobody: Expected = {
  status: 401,
  code: 'missing-token',
  detail: 'The request carries no access token.',
  challenge: realm,
}
const malformed: Expected = { status: 401, code: 'malformed' }
const lacks = (permission: string): Expected => {
  const detail = `This needs the permission ${permission}, which the token does not carry.`
  return {
    status: 403,
    code: 'insufficient-scope',
    detail,
    challenge: `${realm}, error="insufficient_scope", error_description="${detail}"`,
  }
}

const cases: readonly [name: string, target: string, headers: readonly string[], expected: Expected][] = [
  ['anybody on a public route', 'GET /open', [], { status: 200, body: 'open' }],
  ['a bad token on a public route', 'GET /open', bearer('x'), { status: 200, body: 'open' }],
  ['nobody', 'GET /me', [], nobody],
  ['nobody with a query', 'GET /me?access_token=x', [], nobody],
  ['nobody where a route says nothing', 'GET /below', [], nobody],
  ['nobody where a permission is needed', 'GET /places', [], nobody],
  ['nobody who asks with HEAD', 'HEAD /places', [], { status: 401, challenge: realm }],
  ['nobody who sends a body', 'POST /places', ['content-type', 'application/json', 'content-length', '2'], nobody],
  ['another scheme', 'GET /me', ['authorization', 'Basic YTpi'], nobody],
  ['a token that is none', 'GET /me', bearer('x'), malformed],
  ['a token of a foreign issuer', 'GET /me', bearer(partnerToken), { status: 401, code: 'wrong-issuer' }],
  [
    'an expired token',
    'GET /me',
    bearer(headquarters.token({ exp: 1_000 })),
    {
      status: 401,
      code: 'expired',
      challenge: `${realm}, error="invalid_token", error_description="The access token has expired."`,
    },
  ],
  ['a repeated header', 'GET /me', [...reader, ...reader], malformed],
  ['a repeated header of two schemes', 'GET /me', [...reader, 'authorization', 'Basic YTpi'], malformed],
  ['a good token', 'GET /me', reader, { status: 200, body: 'somebody' }],
  ['a good token where a route says nothing', 'GET /below', reader, { status: 200, body: 'below' }],
  ['a token of the second issuer', 'GET /me', bearer(branch.token({ sub: 'else' })), { status: 200, body: 'else' }],
  ['a scheme in small letters', 'GET /me', ['authorization', `bearer ${staffToken()}`], { status: 200 }],
  [
    'a token in the cookie, where none is taken from it',
    'GET /me',
    ['cookie', `partner_token=${staffToken()}`],
    nobody,
  ],
  ['who lacks the permission', 'GET /places', bearer(staffToken()), lacks('places:read')],
  ['who lacks it and asks with HEAD', 'HEAD /places', bearer(staffToken()), { status: 403 }],
  ['who holds another', 'POST /places', reader, lacks('places:create')],
  ['who holds it', 'GET /places', reader, { status: 200, body: 'places' }],
  ['who holds none of several', 'GET /any', bearer(staffToken()), lacks('places:read or places:list')],
  ['who holds one of several', 'GET /any', bearer(staffToken(['places:list'])), { status: 200, body: 'any' }],
  ['nobody on an optional route', 'GET /maybe', [], { status: 200, body: 'nobody' }],
  ['somebody on an optional route', 'GET /maybe', reader, { status: 200, body: 'somebody' }],
  ['a bad token on an optional route', 'GET /maybe', bearer('x'), malformed],
  ['an empty token on an optional route', 'GET /maybe', ['authorization', 'Bearer'], malformed],
  ['a token without its scheme on an optional route', 'GET /maybe', ['authorization', staffToken()], nobody],
  ['a repeated header on an optional route', 'GET /maybe', [...reader, ...reader], malformed],
  ['nobody on a route of another namespace', 'GET /partner', [], nobody],
  ['who is known to another verifier', 'GET /partner', reader, { status: 401, code: 'unknown-key' }],
  ['a partner', 'GET /partner', bearer(partnerToken), { status: 200, body: 'a partner' }],
  [
    'a partner by the cookie',
    'GET /partner',
    ['cookie', `partner_token=${partnerToken}`],
    { status: 200, body: 'a partner' },
  ],
  ['a bad cookie', 'GET /partner', ['cookie', 'partner_token=x'], malformed],
  [
    'a cookie that is there twice',
    'GET /partner',
    ['cookie', `partner_token=${partnerToken}; partner_token=x`],
    malformed,
  ],
  ['a partner who lacks it', 'GET /partner', bearer(partners.token()), lacks('orders:read')],
]

/** Runs the table. `start` builds the routes; see `Scenario`. */
export function checkAdapter(parent: Test, name: string, start: Start): void {
  parent.test(`${name} keeps what all adapters keep`, async t => {
    const partner = createVerifier({
      issuer: partners.issuer,
      audience,
      keys: { fetch: partners.fetch },
      cookie: 'partner_token',
    })
    const issuer = [headquarters.issuer, branch.issuer]
    const staff = createVerifier({ issuer, audience, keys: { fetch: fetchKeys } })
    const scenario = { staff, partner, resourceMetadata, realm: 'the places', broken: new Error('the handler broke') }
    const { port, errors } = await start(t, scenario)

    for (const [who, target, headers, expected] of cases) {
      t.test(`${who}: ${target} answers ${expected.status}`, async t => {
        const answer = await ask(port, target, headers)
        t.equal(answer.status, expected.status)
        if (expected.body !== undefined) t.equal(answer.body, expected.body)
        if (expected.status >= 400) checkRefusal(t, target, answer, expected)
      })
    }
    t.strictSame(errors, [], 'no refusal is an error of the program')

    t.test('a body is left for its reader', async t => {
      const headers = ['content-type', 'application/json', ...bearer(staffToken(['places:create']))]
      t.match(await ask(port, 'POST /places', headers, '{"name":"x"}'), { status: 200, body: 'created x' })
    })

    t.test('no refusal waits for a body', async t => {
      const socket = connect(port, '127.0.0.1')
      t.teardown(() => socket.destroy())
      socket.write('POST /places HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 99\r\n\r\n')
      const [answer] = (await once(socket, 'data')) as [Buffer]
      t.match(answer.toString(), /^HTTP\/1\.1 401 /)
    })

    t.test('the metadata is there for anybody', async t => {
      for (const target of [resourceMetadata.path, `${resourceMetadata.path}?x`]) {
        const answer = await ask(port, `GET ${target}`, [])
        t.match(answer, {
          status: 200,
          headers: { 'content-type': /^application\/json/, 'access-control-allow-origin': '*' },
        })
        t.strictSame(JSON.parse(answer.body), {
          resource: 'https://api.test/places',
          authorization_servers: ['https://hq.test', 'https://branch.test'],
          bearer_methods_supported: ['header'],
          scopes_supported: ['places'],
        })
      }
      t.match(await ask(port, `HEAD ${resourceMetadata.path}`, []), { status: 200, body: '' })
      t.not((await ask(port, `POST ${resourceMetadata.path}`, [])).status, 200)
      t.not((await ask(port, `GET ${resourceMetadata.path}/x`, [])).status, 200)
    })

    t.test('an error of the handler reaches the framework, and so does a mistake of its programmer', async t => {
      const taken = errors.length
      t.equal((await ask(port, 'GET /broken', reader)).status, 500)
      t.equal((await ask(port, 'GET /mistake', reader)).status, 500)
      t.equal((await ask(port, 'GET /maybe-mistake', [])).status, 500)
      t.match(await ask(port, 'GET /maybe-mistake', reader), { status: 200, body: 'somebody' })
      const [broken, ...mistakes] = errors.slice(taken)
      t.equal(broken, scenario.broken)
      t.equal(mistakes.length, 2)
      for (const mistake of mistakes)
        t.match(mistake, { message: /^This request has no principal: its route is public/ })
    })

    t.test('keys that are unavailable are answered with 503 and Retry-After', async t => {
      const down = createVerifier({
        issuer,
        audience,
        keys: { fetch: async () => new Response(null, { status: 500 }) },
      })
      const running = await start(t, { ...scenario, staff: down })
      for (const target of ['GET /me', 'GET /maybe']) {
        const answer = await ask(running.port, target, reader)
        t.equal(answer.status, 503)
        t.equal(answer.headers['retry-after'], '5')
        t.equal(answer.headers['www-authenticate'], undefined)
        t.match(answer.headers['content-type'], /^application\/problem\+json/)
        t.match(JSON.parse(answer.body), { status: 503, code: 'keys-unavailable' })
      }
      t.equal((await ask(running.port, 'GET /me', [])).status, 401, 'who shows nothing needs no keys')
      t.strictSame(running.errors, [])
    })
  })
}

function checkRefusal(
  t: Test,
  target: string,
  answer: HttpAnswer,
  { status, code, detail, challenge }: Expected,
): void {
  const { 'www-authenticate': header = '', ...headers } = answer.headers
  t.match(headers, { 'content-type': /^application\/problem\+json/, 'cache-control': 'no-store' })
  t.ok(header.startsWith(realm), 'the challenge begins with scheme and realm')
  if (challenge !== undefined && !target.endsWith('/partner')) t.equal(header, challenge + inChallenge)
  if (challenge !== undefined && target.endsWith('/partner')) t.equal(header, challenge, 'a verifier without metadata')
  if (target.startsWith('HEAD')) return void t.equal(answer.body, '')
  t.match(JSON.parse(answer.body), { status, code, ...(detail !== undefined && { detail }) })
  // A token's segments begin so; nothing of one comes back.
  t.notMatch(header + answer.body, 'eyJ')
}

interface HttpAnswer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

/** `headers` are names and values in turn, so that a name may come twice. */
async function ask(port: number, target: string, headers: readonly string[], body = ''): Promise<HttpAnswer> {
  const [method, path] = target.split(' ') as [string, string]
  const length = body === '' ? [] : ['content-length', String(body.length)]
  const asked = request({ port, method, path, agent: false, headers: ['host', 'api.test', ...headers, ...length] })
  // A refused request's body is never awaited: the two bytes that one case announces are not sent either.
  if (headers.includes('content-length')) asked.flushHeaders()
  else asked.end(body)
  const [response] = await once(asked, 'response')
  let text = ''
  for await (const chunk of response.setEncoding('utf8')) text += chunk
  asked.destroy()
  return { status: response.statusCode, headers: response.headers, body: text }
}

/** Listens on a free port of the loopback until the test ends. */
export async function listen(t: Test, server: Server): Promise<number> {
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}
