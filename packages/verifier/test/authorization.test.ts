import { AuthError, createVerifier, type Reason, type VerifierOptions } from '@signet/verifier'
import { createTestIssuer } from '@signet/verifier/testing'
import t from 'tap'
import { reasonOf } from './forge.ts'

const issuer = createTestIssuer()
const base = { issuer: issuer.issuer, audience: issuer.audience }
const verifier = createVerifier({ ...base, keys: { jwks: issuer.jwks } })

t.test('A need', async t => {
  const tenant = '0198a1b2-0000-7000-8000-000000000001'
  const token = issuer.token({
    tid: tenant,
    roles: ['advisor', 'member'],
    permissions: ['places:read', 'places:create'],
    scope: 'read write',
  })

  t.test('is met by what the token carries', async t => {
    const met = [
      undefined,
      {},
      { permissions: ['places:read'] },
      { permissions: ['places:read', 'places:create'] },
      { anyPermission: ['places:delete', 'places:read'] },
      { roles: ['advisor', 'member'] },
      { scopes: ['read', 'write'] },
      { tenant },
      { permissions: ['places:read'], anyPermission: ['places:create'], roles: ['member'], scopes: ['read'], tenant },
    ]
    for (const need of met) t.equal(await reasonOf(() => verifier.verify(token, need)), undefined, JSON.stringify(need))
  })

  t.test('is refused with what is missing, and nothing of the token', async t => {
    const cases: readonly [object, Reason, string][] = [
      [
        { permissions: ['places:read', 'places:delete'] },
        'insufficient_scope',
        'This needs the permission places:delete, which the token does not carry.',
      ],
      [
        { permissions: ['places:rea'] },
        'insufficient_scope',
        'This needs the permission places:rea, which the token does not carry.',
      ],
      [
        { anyPermission: ['a:b', 'c:d'] },
        'insufficient_scope',
        'This needs the permission a:b or c:d, which the token does not carry.',
      ],
      [
        { scopes: ['read', 'admin'] },
        'insufficient_scope',
        'This needs the scope admin, which the token does not carry.',
      ],
      [
        { scopes: ['read write'] },
        'insufficient_scope',
        'This needs the scope read write, which the token does not carry.',
      ],
      [{ roles: ['member', 'admin'] }, 'forbidden', 'This needs the role admin, which the token does not carry.'],
      [{ tenant: '0198a1b2-0000-7000-8000-000000000002' }, 'forbidden', 'The token belongs to another tenant.'],
    ]
    for (const [need, reason, message] of cases) {
      t.throws(
        () => verifier.verifySync(token, need),
        { name: 'AuthError', message, reason, status: 403 },
        JSON.stringify(need),
      )
      await t.rejects(verifier.verify(token, need), { message })
    }
  })

  t.test('that makes no sense is a TypeError, never an open door', async t => {
    const wrong = [
      null,
      'places:read',
      [],
      { permission: ['places:read'] },
      { permissions: 'places:read' },
      { permissions: [] },
      { permissions: [''] },
      { permissions: [1] },
      { permissions: undefined },
      { anyPermission: [] },
      { roles: 'admin' },
      { tenant: '' },
      { tenant: 1 },
    ]
    for (const need of wrong) {
      t.throws(() => verifier.verifySync(token, need as object), TypeError, JSON.stringify(need))
      await t.rejects(verifier.verify(token, need as object), TypeError)
    }
  })

  t.test('of a permission cannot be decided for a token without the list', async t => {
    const bare = issuer.token({ permissions: undefined, roles: undefined })
    for (const need of [{ permissions: ['places:read'] }, { anyPermission: ['places:read'] }]) {
      t.throws(() => verifier.verifySync(bare, need), {
        reason: 'bundle_unavailable',
        status: 503,
        message: /TOKEN_PERMISSIONS_MAX_BYTES/,
      })
    }
    const principal = verifier.verifySync(bare)
    t.equal(await reasonOf(() => principal.can('places:read')), 'bundle_unavailable')
    t.equal(principal.hasRole('member'), false)
    t.equal(await reasonOf(() => verifier.verify(bare, { roles: ['member'] })), 'forbidden')
    t.equal(await reasonOf(() => verifier.verify(bare, { scopes: ['read'] })), 'insufficient_scope')
  })

  t.test('can also be asked of the principal', async t => {
    const principal = await verifier.verify(token)
    t.equal(principal.can('places:read'), true)
    t.equal(principal.can('places:delete'), false)
    t.equal(principal.hasRole('advisor'), true)
    t.equal(principal.hasRole('admin'), false)
    t.equal(principal.tenant, tenant)
  })
})

t.test('A request is authenticated', async t => {
  const token = issuer.token({ sub: 'somebody' })
  const other = issuer.token({ sub: 'other' })
  const withCookie = createVerifier({ ...base, keys: { jwks: issuer.jwks }, cookie: 'access_token' })
  const subject = async (headers: Parameters<typeof verifier.authenticate>[0], by = verifier) => {
    try {
      return (await by.authenticate(headers)).subject
    } catch (error) {
      if (error instanceof AuthError) return error.reason
      throw error
    }
  }

  t.test('by its bearer token', async t => {
    t.equal(await subject({ authorization: `Bearer ${token}` }), 'somebody')
    t.equal(await subject({ Authorization: `bearer ${token}` }), 'somebody', 'in any case')
    t.equal(await subject({ AUTHORIZATION: `BEARER   ${token}` }), 'somebody', 'after any number of spaces')
    t.equal(await subject(new Headers({ authorization: `Bearer ${token}` })), 'somebody', 'in web headers')
    const none = [
      {},
      { authorization: undefined },
      { authorization: '' },
      { authorization: 'Basic dTpw' },
      { authorization: token },
      { authorization: `Bearer${token}` },
      { 'x-authorization': `Bearer ${token}` },
      new Headers(),
    ]
    for (const headers of none) t.equal(await subject(headers), 'missing_token', JSON.stringify(headers))
    t.equal(await subject({ authorization: 'Bearer' }), 'malformed')
    t.equal(await subject({ authorization: 'Bearer ' }), 'malformed')
    t.equal(await subject({ authorization: `Bearer ${token} ` }), 'malformed')
    t.equal(await subject({ authorization: `Bearer ${token}, Bearer ${token}` }), 'malformed', 'joined')
    t.equal(await subject({ authorization: `Bearer ${'a'.repeat(65_536)}` }), 'malformed', '64 kB')
  })

  t.test('never by one of two', async t => {
    t.equal(await subject({ authorization: [`Bearer ${token}`, `Bearer ${other}`] }), 'malformed')
    t.equal(await subject({ authorization: [`Bearer ${token}`] }), 'malformed')
    t.equal(await subject({ Authorization: `Bearer ${token}`, AUTHORIZATION: `Bearer ${other}` }), 'malformed')
    const joined = new Headers()
    joined.append('authorization', `Bearer ${token}`)
    joined.append('authorization', `Bearer ${other}`)
    t.equal(await subject(joined), 'malformed')
    t.equal(
      await subject({ cookie: `access_token=${token}; access_token=${other}` }, withCookie),
      'malformed',
      'cookies',
    )
  })

  t.test('by a cookie only where one is configured', async t => {
    const cookie = `a=b; access_token=${token}; theme=dark`
    t.equal(await subject({ cookie }), 'missing_token')
    t.equal(await subject({ cookie }, withCookie), 'somebody')
    t.equal(await subject(new Headers({ cookie }), withCookie), 'somebody')
    t.equal(
      await subject({ cookie, authorization: `Bearer ${other}` }, withCookie),
      'other',
      'the bearer token goes first',
    )
    t.equal(
      await subject({ cookie, authorization: 'Basic dTpw' }, withCookie),
      'somebody',
      'another scheme is no token',
    )
    t.equal(
      await subject({ cookie: `xaccess_token=${token}; ACCESS_TOKEN=${token}` }, withCookie),
      'missing_token',
      'by its exact name',
    )
  })
})

t.test('A refusal is told', async t => {
  const refuse = (reason: Reason, detail?: string) => new AuthError(reason, detail)

  t.test('as an RFC 6750 challenge', async t => {
    t.equal(refuse('missing_token').wwwAuthenticate(), 'Bearer realm="signet"')
    t.equal(
      refuse('expired').wwwAuthenticate('places'),
      'Bearer realm="places", error="invalid_token", error_description="The access token has expired."',
    )
    t.match(refuse('insufficient_scope').wwwAuthenticate(), 'error="insufficient_scope"')
    t.match(refuse('forbidden').wwwAuthenticate(), 'error="insufficient_scope"')
    t.equal(refuse('keys_unavailable').wwwAuthenticate(), 'Bearer realm="signet"')
    const hostile = refuse('insufficient_scope', 'a "quoted" \\ line\r\nSet-Cookie: x=ü').wwwAuthenticate('re"alm\n')
    t.equal(
      hostile,
      'Bearer realm="re?alm?", error="insufficient_scope", error_description="a ?quoted? ? line??Set-Cookie: x=?"',
    )
  })

  t.test('as an RFC 9457 problem', async t => {
    t.strictSame(refuse('insufficient_scope', 'Why.').toProblem(), {
      type: 'urn:signet:problem:insufficient-scope',
      title: 'Insufficient scope',
      status: 403,
      code: 'insufficient-scope',
      detail: 'Why.',
    })
    const reasons: Record<Reason, number> = {
      missing_token: 401,
      malformed: 401,
      unknown_key: 401,
      invalid_signature: 401,
      wrong_type: 401,
      wrong_issuer: 401,
      wrong_audience: 401,
      expired: 401,
      not_active: 401,
      invalid_claims: 401,
      revoked: 401,
      insufficient_scope: 403,
      forbidden: 403,
      keys_unavailable: 503,
      revocation_unavailable: 503,
      bundle_unavailable: 503,
    }
    for (const [reason, status] of Object.entries(reasons)) {
      const problem = refuse(reason as Reason).toProblem()
      t.match(problem, { status, code: reason.replaceAll('_', '-') }, reason)
      t.ok(problem.title !== '' && problem.detail.endsWith('.'))
    }
  })
})

t.test('Wrong options are a TypeError that names them', async t => {
  const keys = { jwks: issuer.jwks }
  const wrong: readonly [string, unknown][] = [
    ['options', undefined],
    ['options', null],
    ['options', 'https://issuer.test'],
    ['issuer', { audience: 'signet' }],
    ['issuer', { ...base, issuer: '' }],
    ['issuer', { ...base, issuer: [] }],
    ['issuer', { ...base, issuer: [1] }],
    ['issuer', { ...base, issuer: 'no-url' }],
    ['issuer', { ...base, issuer: 'ftp://issuer.test' }],
    ['audience', { issuer: base.issuer }],
    ['audience', { ...base, audience: '' }],
    ['audience', { ...base, audience: [] }],
    ['audience', { ...base, audience: undefined }],
    ['revocation', { ...base, revocation: 'push' }],
    ['revocation.mode', { ...base, revocation: {} }],
    ['revocation.mode', { ...base, revocation: { mode: 'pull' } }],
    ['revocation.mode', { ...base, keys, revocation: { mode: 'poll' } }],
    ['maxStale', { ...base, revocation: { mode: 'poll', maxStale: 1 } }],
    ['revocation.maxStaleMs', { ...base, revocation: { mode: 'poll', maxStaleMs: 0 } }],
    ['revocation.onStale', { ...base, revocation: { mode: 'poll', onStale: 'warn' } }],
    ['serviceKey', { ...base, serviceKey: '' }],
    ['serviceKey', { ...base, serviceKey: 'a key' }],
    ['serviceKey', { ...base, keys, serviceKey: 'key' }],
    ['ignoreExpiration', { ...base, ignoreExpiration: true }],
    ['keys', { ...base, keys: [] }],
    ['keys', { ...base, keys: { url: 'x' } }],
    ['keys.uri', { ...base, keys: { uri: 'file:///etc/keys' } }],
    ['keys.uri', { ...base, keys: { ...keys, uri: 'https://issuer.test/keys' } }],
    ['keys.cooldownMs', { ...base, keys: { ...keys, cooldownMs: 1 } }],
    ['keys.fetch', { ...base, keys: { fetch: 'fetch' } }],
    ['keys.timeoutMs', { ...base, keys: { timeoutMs: 0 } }],
    ['keys.cooldownMs', { ...base, keys: { cooldownMs: 0 } }],
    ['keys.refreshEveryMs', { ...base, keys: { refreshEveryMs: 1.5 } }],
    ['keys.jwks', { ...base, keys: { jwks: { keys: [] } } }],
    ['keys.jwks', { ...base, keys: { jwks: {} } }],
    ['keysMaxStaleMs', { ...base, keysMaxStaleMs: Number.POSITIVE_INFINITY }],
    ['keysMaxStaleMs', { ...base, keysMaxStaleMs: 1 }],
    ['clockToleranceSeconds', { ...base, clockToleranceSeconds: -1 }],
    ['clockToleranceSeconds', { ...base, clockToleranceSeconds: 301 }],
    ['clockToleranceSeconds', { ...base, clockToleranceSeconds: '30' }],
    ['cache', { ...base, cache: true }],
    ['cache.max', { ...base, cache: {} }],
    ['cache.max', { ...base, cache: { max: Number.POSITIVE_INFINITY } }],
    ['cookie', { ...base, cookie: true }],
    ['cookie', { ...base, cookie: 'a b' }],
    ['cookie', { ...base, cookie: '' }],
    ['now', { ...base, now: 1 }],
    ['on', { ...base, on: { rejectd: () => undefined } }],
    ['on.rejected', { ...base, on: { rejected: true } }],
  ]
  for (const [name, options] of wrong) {
    t.throws(
      () => createVerifier(options as VerifierOptions),
      { name: 'TypeError', message: new RegExp(name.replace('.', '\\.')) },
      `${name}: ${JSON.stringify(options)}`,
    )
  }
  t.ok(createVerifier({ ...base, audience: ['a', 'b'], cache: false, cookie: false, clockToleranceSeconds: 0 }))
  t.ok(
    createVerifier({ issuer: 'not-a-url', audience: 'signet', keys }),
    'an issuer need not be a URL when its keys are given',
  )
})
