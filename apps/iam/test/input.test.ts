import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { problemCatalogue } from '@signet/kernel'
import t from 'tap'
import { password, testApp } from './test-app.ts'

type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
interface BodyRoute {
  readonly method: Method
  readonly url: string
  readonly isPublic: boolean
  /** Asks for a service key in place of a token. */
  readonly isForServices?: true
  /** A body that the schema takes. */
  readonly valid: Record<string, unknown>
  /** What `{}` is answered where nothing has to be in the body; elsewhere it is refused. */
  readonly whenEmpty?: string
}

const serviceKey = 'a key of another service'
const a = await testApp(t, { deps: { serviceKeys: [serviceKey] } })
await a.register({ email: 'ada@example.com', username: 'ada' })
const { access_token: token } = await a.signIn('ada@example.com')

/** Every route that takes a body. One that is missing here fails the first test. */
const bodyRoutes: readonly BodyRoute[] = [
  { method: 'POST', url: '/api/v1/users', isPublic: true, valid: { email: 'new@example.com', password } },
  { method: 'POST', url: '/api/v1/tokens', isPublic: true, valid: { email: 'ada@example.com', password } },
  {
    method: 'POST',
    url: '/api/v1/tokens/refresh',
    isPublic: true,
    valid: { refresh_token: 'x' },
    whenEmpty: '401 invalid-refresh-token',
  },
  { method: 'POST', url: '/api/v1/tokens/revoke', isPublic: true, valid: { refresh_token: 'x' }, whenEmpty: '204' },
  { method: 'POST', url: '/api/v1/otp/requests', isPublic: true, valid: { email: 'new@example.com' } },
  {
    method: 'POST',
    url: '/api/v1/otp/verifications',
    isPublic: true,
    valid: { email: 'new@example.com', code: '000000' },
  },
  { method: 'POST', url: '/api/v1/tokens/tenant', isPublic: false, valid: { tenant_id: a.platform } },
  {
    method: 'POST',
    url: '/api/v1/advisor/client-tokens',
    isPublic: false,
    valid: { user_id: a.platform, purpose: 'x', expires_in: 60 },
  },
  { method: 'POST', url: '/auth/client-token', isPublic: true, valid: { token: 'x' } },
  { method: 'POST', url: '/api/v1/password-resets', isPublic: true, valid: { email: 'ada@example.com' } },
  {
    method: 'POST',
    url: '/api/v1/password-resets/confirm',
    isPublic: true,
    valid: { email: 'ada@example.com', code: '000000', new_password: 'x' },
  },
  {
    method: 'POST',
    url: '/api/v1/tokens/refresh-key',
    isPublic: true,
    valid: { identifier: 'ada', key: 'seven quiet herons over' },
  },
  { method: 'POST', url: '/api/v1/me/contacts', isPublic: false, valid: { email: 'new@example.com' } },
  {
    method: 'POST',
    url: '/api/v1/me/contacts/confirm',
    isPublic: false,
    valid: { email: 'new@example.com', code: '000000' },
  },
  // An empty object is a merge patch that changes nothing.
  { method: 'PATCH', url: '/api/v1/me', isPublic: false, valid: { name: 'Ada' }, whenEmpty: '200' },
  {
    method: 'PUT',
    url: '/api/v1/me/password',
    isPublic: false,
    valid: { current_password: password, new_password: 'x' },
  },
  { method: 'PUT', url: '/api/v1/me/refresh-key', isPublic: false, valid: { key: 'seven quiet herons over' } },
  {
    method: 'POST',
    url: '/api/v1/system-emails',
    isPublic: false,
    isForServices: true,
    valid: { to: 'ada@example.com', subject: 'x', text: 'x' },
  },
]
const otherRoutes: readonly [Method, string, isPublic: boolean][] = [
  ['GET', '/api/v1/me', false],
  ['DELETE', '/api/v1/me/refresh-key', false],
  ['POST', '/api/v1/me/memberships/{id}/accept', false],
  ['GET', '/api/v1/advisor/client-tokens', false],
  ['DELETE', '/api/v1/advisor/client-tokens/{id}', false],
  ['GET', '/api/v1/sessions', false],
  ['DELETE', '/api/v1/sessions', false],
  ['DELETE', '/api/v1/sessions/{id}', false],
  ['GET', '/api/v1/healthcheck', true],
  ['GET', '/.well-known/jwks.json', true],
  ['GET', '/.well-known/public-key.pem', true],
  ['GET', '/.well-known/oauth-authorization-server', true],
  ['GET', '/status-lists', true],
  ['GET', '/status-lists/{id}', true],
  ['GET', '/verifier/events', true],
  ['GET', '/bundles/{tid}', false],
  ['GET', '/livez', true],
  ['GET', '/readyz', true],
  ['GET', '/version', true],
]

/**
 * Of older systems: they fail in forms of their own and ignore members that they do not know. The tests of each system send them
 * bad input.
 */
const compatRoutes: readonly [Method, string, 'bearer' | 'public' | 'serviceKey', 'body'?][] = [
  ['POST', '/api/v1/advisor/request-client-token', 'bearer', 'body'],
  ['POST', '/api/v1/send-system-email', 'serviceKey', 'body'],
  ['POST', '/auth/request-otp', 'public', 'body'],
  ['POST', '/auth/verify-otp', 'public', 'body'],
  ['POST', '/auth/refresh', 'public'],
  ['POST', '/auth/logout', 'public'],
  ['GET', '/auth/user', 'bearer'],
  ['POST', '/register', 'public', 'body'],
  ['POST', '/token', 'public', 'body'],
  ['POST', '/validate', 'bearer'],
  ['GET', '/', 'public'],
  ['POST', '/verify_password', 'public', 'body'],
  ['PATCH', '/users/me/change-password', 'bearer', 'body'],
  ['POST', '/users/password-reset/request', 'public', 'body'],
  ['POST', '/users/password-reset/confirm', 'public', 'body'],
  ['POST', '/auth/admin/create', 'bearer', 'body'],
  ['POST', '/auth/client/create', 'bearer', 'body'],
  ['POST', '/auth/subclient/create', 'bearer', 'body'],
  ['POST', '/auth/admin/login', 'public', 'body'],
  ['POST', '/auth/client/login', 'public', 'body'],
  ['POST', '/auth/subclient/login', 'public', 'body'],
  ['POST', '/auth/otp/sendotp/{number}', 'public'],
  ['POST', '/auth/user/login/{number}/{otp}', 'public'],
  ['POST', '/user/access/setrefreshkey/{new_key}', 'bearer'],
  ['POST', '/user/access/regeneratetoken/{refresh_key}', 'public'],
]

/** They speak OAuth and take forms: introspection.test.ts sends them what is sent here to the others. */
const formRoutes: readonly [Method, string, 'public' | 'serviceKey'][] = [
  ['POST', '/oauth2/introspect', 'serviceKey'],
  ['POST', '/oauth2/revoke', 'public'],
]

interface Operation {
  readonly requestBody?: {
    content: Record<string, { schema: { properties: Record<string, unknown>; additionalProperties?: boolean } }>
  }
  readonly security: readonly object[]
}
const document = a.app.swagger() as unknown as { paths: Record<string, Record<string, Operation>> }
const operations = Object.entries(document.paths).flatMap(([url, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ method: method.toUpperCase(), url, operation })),
)

const send = (
  route: Pick<BodyRoute, 'method' | 'url'>,
  payload: string | Buffer,
  headers: Record<string, string> = {},
) =>
  a.app.inject({
    method: route.method,
    url: route.url,
    headers: {
      'content-type': 'application/json',
      authorization: `Bearer ${token}`,
      'x-api-key': serviceKey,
      ...headers,
    },
    payload,
  })
const sendJson = (route: BodyRoute, body: unknown) => send(route, JSON.stringify(body))
const summaryOf = (answer: { statusCode: number; body: string }) =>
  answer.statusCode < 300 ? String(answer.statusCode) : `${answer.statusCode} ${codeOf(answer)}`
const codeOf = (answer: { body: string }): string => (answer.body === '' ? '' : JSON.parse(answer.body).code)

/** Everything but the audit, which tells of refusals too. */
const countRows = () =>
  a.asOwner(async sql => [
    ...(await sql`select (select count(*) from users) as users, (select count(*) from password_credentials) as credentials,
      (select count(*) from memberships) as memberships, (select count(*) from membership_roles) as roles,
      (select count(*) from sessions where ended_at is null) as sessions, (select sum(generation) from refresh_tokens) as refreshes,
      (select sum(version) from users) as versions`),
  ])

t.test('the table of routes is complete', async t => {
  const described = operations.map(
    ({ method, url, operation }) => `${method} ${url} ${Object.keys(operation.security[0] ?? {})[0] ?? 'public'}`,
  )
  const listed = [
    ...bodyRoutes.map(
      ({ method, url, isPublic, isForServices }) =>
        `${method} ${url} ${isForServices === true ? 'serviceKey' : isPublic ? 'public' : 'bearer'}`,
    ),
    ...otherRoutes.map(([method, url, isPublic]) => `${method} ${url} ${isPublic ? 'public' : 'bearer'}`),
    ...formRoutes.map(route => route.join(' ')),
    ...compatRoutes.map(([method, url, access]) => `${method} ${url} ${access}`),
  ]
  const inOrder = (names: string[]) => names.toSorted((one, other) => one.localeCompare(other))
  t.same(inOrder(described), inOrder(listed))
  const withBody = operations
    .filter(({ operation }) => operation.requestBody !== undefined)
    .map(({ method, url }) => `${method} ${url}`)
  const listedWithBody = [
    ...bodyRoutes.map(({ method, url }) => `${method} ${url}`),
    ...formRoutes.map(([method, url]) => `${method} ${url}`),
    ...compatRoutes.flatMap(([method, url, , body]) => (body === undefined ? [] : [`${method} ${url}`])),
  ]
  t.same(inOrder(withBody), inOrder(listedWithBody))
  t.ok(operations.every(({ operation }) => Object.hasOwn(operation, 'security')))
})

t.test('X-01 nobody gets past a guarded route, whatever they send for a token', async t => {
  // Routes of older systems answer in forms of their own: their tests are theirs.
  const guarded = operations.filter(
    ({ url, operation }) =>
      operation.security.some(each => 'bearer' in each) && !compatRoutes.some(([, route]) => route === url),
  )
  const [header = '', payload = '', signature = ''] = token.split('.')
  const forged = `${header}.${payload}.${signature.startsWith('A') ? 'B' : 'A'}${signature.slice(1)}`
  const none = `${Buffer.from('{"alg":"none","typ":"at+jwt"}').toString('base64url')}.${payload}.`
  const cases: [code: string, authorization: string | undefined][] = [
    ['missing-token', undefined],
    ['malformed', 'Bearer nonsense'],
    ['malformed', `Bearer ${token}=`],
    ['invalid-signature', `Bearer ${forged}`],
    ['invalid-signature', `Bearer ${none}`],
  ]
  t.equal(guarded.length, 16)
  for (const { method, url } of guarded) {
    for (const [code, authorization] of cases) {
      const answer = await a.app.inject({
        method: method as Method,
        url: url.replace(/\{t?id\}/, a.company),
        headers: authorization === undefined ? {} : { authorization },
      })
      t.equal(answer.statusCode, 401, `${method} ${url} ${code}`)
      t.equal(codeOf(answer), code, `${method} ${url} ${authorization?.slice(0, 20)}`)
      t.match(answer.headers['www-authenticate'], /^Bearer/)
      t.equal(answer.headers['content-type']?.split(';')[0], 'application/problem+json')
    }
  }
  await t.test('nor with a token that has expired', async t => {
    a.clock.shift(931_000)
    const answer = await a.call('GET', '/api/v1/me', { token })
    t.match(answer, { status: 401, body: { code: 'expired' } })
    a.clock.shift(-931_000)
    t.equal((await a.call('GET', '/api/v1/me', { token })).status, 200)
  })
})

const emptyObject = /^(y_object_empty|i_structure_UTF-8_BOM_empty_object)\.json$/
const vectors = fileURLToPath(new URL('../../../../shared/vectors/json-test-suite/test_parsing', import.meta.url))
t.test(
  'I-01 JSONTestSuite on every body route',
  { skip: existsSync(vectors) ? false : 'the vectors are not beside this repository', timeout: 120_000 },
  async t => {
    const names = readdirSync(vectors)
    t.ok(names.length > 300)
    const before = await countRows()
    for (const route of bodyRoutes) {
      const wrong: string[] = []
      for (const name of names) {
        const answer = await send(route, readFileSync(join(vectors, name)))
        const expected = name.startsWith('n_')
          ? ['400 malformed-body', '413 body-too-large']
          : emptyObject.test(name)
            ? [route.whenEmpty ?? '400 invalid-input']
            : ['400 malformed-body', '400 invalid-input']
        if (!expected.includes(summaryOf(answer)))
          wrong.push(`${name}: ${answer.statusCode} ${answer.body.slice(0, 80)}`)
      }
      t.same(wrong, [], `${route.method} ${route.url}`)
    }
    t.same(await countRows(), before, 'nothing is half-written')
  },
)

t.test('bad input', async t => {
  const before = await countRows()
  await t.test('an unknown member is refused by name', async t => {
    for (const route of bodyRoutes) {
      const answer = await sendJson(route, { ...route.valid, surprise: true })
      t.match(
        answer.json(),
        { status: 400, code: 'invalid-input', errors: [{ pointer: '/surprise' }] },
        `${route.method} ${route.url}`,
      )
    }
  })
  await t.test('X-05 no writable schema takes a column that is not the caller’s to set', async t => {
    const columns = [
      'id',
      'tenant_id',
      'kind',
      'roles',
      'role_ids',
      'permissions',
      'status',
      'email_verified_at',
      'phone_verified_at',
      'password_hash',
      'hash',
      'must_change',
      'version',
      'created_at',
      'updated_at',
      'is_platform',
      'sid',
      'user_id',
    ]
    for (const route of bodyRoutes) {
      const own = Object.keys(
        operations.find(each => each.url === route.url && each.method === route.method)?.operation.requestBody?.content[
          'application/json'
        ]?.schema.properties ?? {},
      )
      t.ok(own.length > 0, route.url)
      t.same(
        own.filter(name => columns.includes(name)),
        route.url.endsWith('/tenant') ? ['tenant_id'] : route.url.endsWith('/client-tokens') ? ['user_id'] : [],
      )
      for (const column of columns.filter(name => !own.includes(name))) {
        const answer = await sendJson(route, { ...route.valid, [column]: 'x' })
        t.equal(`${answer.statusCode} ${codeOf(answer)}`, '400 invalid-input', `${route.url} ${column}`)
      }
    }
  })
  await t.test('a member of the wrong type is refused by name, and nothing is converted', async t => {
    for (const route of bodyRoutes) {
      for (const name of Object.keys(route.valid)) {
        for (const value of [7, true, ['x'], { x: 1 }, null]) {
          if (route.method === 'PATCH' && value === null) continue
          const answer = await sendJson(route, { ...route.valid, [name]: value })
          t.match(
            answer.json(),
            { status: 400, code: 'invalid-input', errors: [{ pointer: `/${name}` }] },
            `${route.url} ${name} ${JSON.stringify(value)}`,
          )
        }
      }
    }
  })
  await t.test('a member that is missing is refused by name', async t => {
    for (const route of bodyRoutes) {
      const answer = await sendJson(route, {})
      t.equal(summaryOf(answer), route.whenEmpty ?? '400 invalid-input', route.url)
      if (route.whenEmpty === undefined) t.ok(answer.json().errors.length > 0)
    }
    const none = await sendJson(bodyRoutes[0] as BodyRoute, { password, phone: '+4915112345678' })
    t.match(none.json(), { code: 'invalid-input', errors: [{ pointer: '/email' }, { pointer: '/username' }] })
  })
  await t.test('I-02 NUL, half a surrogate pair and control characters in names are refused', async t => {
    for (const route of bodyRoutes) {
      for (const bad of ['a\0b', '\ud83e', '\udd8a x']) {
        for (const name of Object.keys(route.valid)) {
          const answer = await sendJson(route, { ...route.valid, [name]: bad })
          t.equal(`${answer.statusCode} ${codeOf(answer)}`, '400 invalid-input', `${route.url} ${name}`)
        }
      }
    }
    const patch = bodyRoutes.find(({ method }) => method === 'PATCH') as BodyRoute
    for (const bad of ['line\nbreak', 'tab\t', 'bell\u0007', 'next\u0085line'])
      t.equal(codeOf(await sendJson(patch, { name: bad })), 'invalid-input')
  })
  await t.test('names for signing in have one form', async t => {
    const bad = {
      email: [
        'ada',
        'ada@',
        '@x.de',
        'a b@example.com',
        'ada@example.com\nbcc: x@example.com',
        `${'a'.repeat(250)}@example.com`,
        'adä@example.com',
      ],
      username: ['a@b', '+49', '-ada', 'ada-', 'a b', '', 'ä', 'x'.repeat(65)],
      phone: ['0049151', '+0123456', '+1', '+49 151 x', '0151 23456789', '+491512345678901234'],
      tenant: ['Acme', 'a_b', '-a', '', 'x'.repeat(64)],
    }
    for (const [name, values] of Object.entries(bad)) {
      for (const value of values) {
        const answer = await sendJson(bodyRoutes[0] as BodyRoute, { email: 'new@example.com', password, [name]: value })
        t.match(
          answer.json(),
          { status: 400, code: 'invalid-input', errors: [{ pointer: `/${name}` }] },
          `${name} ${JSON.stringify(value)}`,
        )
      }
    }
  })
  await t.test('I-03 other content types are not read', async t => {
    for (const route of bodyRoutes) {
      for (const type of [
        'text/plain',
        'application/x-www-form-urlencoded',
        'application/json\u00e9',
        'multipart/form-data',
        'application/xml',
        'garbage',
      ]) {
        const answer = await send(route, JSON.stringify(route.valid), { 'content-type': type })
        t.equal(`${answer.statusCode} ${codeOf(answer)}`, '415 unsupported-media-type', `${route.url} ${type}`)
      }
    }
    const mergePatch = await send(bodyRoutes[1] as BodyRoute, JSON.stringify(bodyRoutes[1]?.valid), {
      'content-type': 'application/merge-patch+json',
    })
    t.equal(mergePatch.statusCode, 415, 'a merge patch means nothing but to PATCH')
  })
  await t.test('I-05 __proto__ and constructor are refused anywhere', async t => {
    for (const route of bodyRoutes) {
      for (const body of [
        '{"__proto__":{"isPlatformStaff":true}}',
        '{"constructor":{"prototype":{"x":1}}}',
        '{"x":{"__proto__":{}}}',
      ]) {
        const answer = await send(route, body)
        t.equal(answer.statusCode, 400, `${route.url} ${body}`)
        t.match(codeOf(answer), /^(malformed-body|invalid-input)$/)
      }
    }
    t.notOk('isPlatformStaff' in {})
  })
  await t.test('H-06 a body over 64 kB is refused, and so is a body that is no JSON at all', async t => {
    for (const route of bodyRoutes) {
      const large = await sendJson(route, { ...route.valid, padding: 'x'.repeat(70_000) })
      t.equal(`${large.statusCode} ${codeOf(large)}`, '413 body-too-large', route.url)
      for (const broken of ['', '{', '{"a":1}}', 'null,', "{'a':1}"]) {
        const answer = await send(route, broken)
        t.equal(`${answer.statusCode} ${codeOf(answer)}`, '400 malformed-body', `${route.url} ${broken}`)
      }
    }
  })
  await t.test('ids in a path that are none are refused', async t => {
    for (const url of [
      '/api/v1/sessions/1',
      '/api/v1/sessions/%00',
      "/api/v1/sessions/'",
      `/api/v1/sessions/${a.company.toUpperCase()}`,
    ]) {
      const answer = await a.call('DELETE', url, { token })
      t.equal(answer.status, 400, url)
    }
    t.equal((await a.call('GET', '/api/v1/nowhere', { token })).body.code, 'route-not-found')
  })
  t.same(await countRows(), before, 'and nothing is half-written')
})

t.test('I-02 other hostile texts are kept byte for byte', async t => {
  const patch = bodyRoutes.find(({ method }) => method === 'PATCH') as BodyRoute
  const kept = [
    '\u202Eright to left',
    'zero\u200Bwidth',
    "'; drop table users; --",
    '<script>alert(1)</script>',
    '${7*7}{{7*7}}',
    '\uFEFFbom',
    'Z͑ͫ̓ͪ̂ͫ̽͏̴̙̤̞͉͚̯̞̠͍A',
    'نص',
    '١٢٣',
    '🧑‍🚀',
    '%s%n',
    '../../etc/passwd',
  ]
  for (const name of kept) t.equal((await sendJson(patch, { name })).json().name, name)
})

t.test('every refusal is a problem document whose code is in the catalogue', async t => {
  const answers = [
    await send(bodyRoutes[0] as BodyRoute, '{'),
    await sendJson(bodyRoutes[0] as BodyRoute, {}),
    await sendJson(bodyRoutes[2] as BodyRoute, { refresh_token: 'x' }),
    await sendJson(bodyRoutes[1] as BodyRoute, { email: 'x@example.com', password: 'x' }),
  ]
  for (const answer of answers) {
    const { code, status, instance, type } = answer.json()
    t.equal(answer.headers['content-type']?.split(';')[0], 'application/problem+json')
    t.ok(Object.hasOwn(problemCatalogue, code), code)
    t.equal(status, answer.statusCode)
    t.equal(type, `urn:signet:problem:${code}`)
    t.equal(instance, `urn:uuid:${String(answer.headers['x-request-id'])}`)
    t.equal(answer.headers['cache-control'], 'no-store')
  }
})

// The last: some of these routes end the caller's sessions.
t.test('a body that is announced and empty is refused only where one is wanted', async t => {
  const without = otherRoutes.filter(([method]) => method !== 'GET').map(([method, url]) => ({ method, url }))
  for (const route of without) t.not(codeOf(await send(route, '')), 'malformed-body', `${route.method} ${route.url}`)
  for (const route of bodyRoutes)
    t.match((await send(route, '')).json(), { code: 'malformed-body', detail: /needs a JSON document/ }, route.url)
})
