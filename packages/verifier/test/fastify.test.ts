import { once } from 'node:events'
import { connect } from 'node:net'
import type { AddressInfo } from 'node:net'
import swagger from '@fastify/swagger'
import { createVerifier, type Principal } from '@signet/verifier'
import { type Access, findPrincipal, principalOf, protectedResourceMetadata, signet } from '@signet/verifier/fastify'
import { createTestIssuer } from '@signet/verifier/testing'
import Fastify, { type FastifyInstance } from 'fastify'
import t, { type Test } from 'tap'
import { checkAdapter } from './http-conformance.ts'

declare module 'fastify' {
  interface FastifyRequest {
    readonly partner: Principal
  }
}

const issuer = createTestIssuer()
const requestId = '0198a1b2-0000-7000-8000-00000000000a'
const bearer = (claims?: Record<string, unknown>) => ({ authorization: `Bearer ${issuer.token(claims)}` })

async function buildServer(t: Test, keys: object = { jwks: issuer.jwks }): Promise<FastifyInstance> {
  const verifier = createVerifier({ issuer: issuer.issuer, audience: issuer.audience, keys })
  const app = Fastify({ genReqId: () => requestId })
  t.teardown(() => app.close())
  await app.register(signet, { verifier })
  return app
}

t.test('A server with the guard', async t => {
  const app = await buildServer(t)
  let bodies = 0
  app.addContentTypeParser('application/x-count', (_, __, done) => {
    bodies++
    done(null, {})
  })
  app.get('/open', { config: { access: 'public' } }, async () => 'open')
  app.get('/me', { config: { access: {} } }, async request => ({ subject: request.principal.subject }))
  app.get('/places', { config: { access: { permissions: ['places:read'] } } }, async () => 'places')
  app.post('/places', { config: { access: { permissions: ['places:create'] } } }, async () => 'created')
  app.get('/mistake', { config: { access: 'public' } }, async request => request.principal.subject)
  await app.register(
    async scope => {
      scope.get('/', { config: { access: { roles: ['admin'] } } }, async () => 'scoped')
    },
    { prefix: '/admin' },
  )

  t.test('serves what is public to anybody', async t => {
    t.equal((await app.inject('/open')).statusCode, 200)
    t.equal((await app.inject({ url: '/open', headers: { authorization: 'Bearer x' } })).statusCode, 200)
  })

  t.test('answers nobody with 401, a challenge and a problem', async t => {
    for (const [method, url] of [
      ['GET', '/me'],
      ['HEAD', '/me'],
      ['GET', '/places'],
      ['POST', '/places'],
      ['GET', '/admin'],
      ['GET', '/admin/'],
      ['HEAD', '/admin'],
    ] as const) {
      const answer = await app.inject({ method, url })
      t.equal(answer.statusCode, 401, `${method} ${url}`)
      t.equal(answer.headers['www-authenticate'], 'Bearer realm="signet"')
      t.match(answer.headers['content-type'], /^application\/problem\+json/)
      if (method === 'HEAD') continue
      t.strictSame(answer.json(), {
        type: 'urn:signet:problem:missing-token',
        title: 'Missing token',
        status: 401,
        code: 'missing-token',
        detail: 'The request carries no access token.',
        instance: `urn:uuid:${requestId}`,
      })
    }
  })

  t.test('lets in whoever holds what the route needs', async t => {
    const me = await app.inject({ url: '/me', headers: bearer({ sub: 'somebody' }) })
    t.strictSame(me.json(), { subject: 'somebody' })
    t.equal((await app.inject({ url: '/places', headers: bearer({ permissions: ['places:read'] }) })).statusCode, 200)
    t.equal((await app.inject({ url: '/admin', headers: bearer({ roles: ['admin'] }) })).body, 'scoped')
  })

  t.test('answers 403 with the reason to whoever does not', async t => {
    const answer = await app.inject({
      method: 'POST',
      url: '/places',
      headers: bearer({ permissions: ['places:read'] }),
    })
    t.equal(answer.statusCode, 403)
    t.match(answer.json(), {
      code: 'insufficient-scope',
      detail: 'This needs the permission places:create, which the token does not carry.',
    })
    t.match(answer.headers['www-authenticate'], 'error="insufficient_scope"')
    const role = await app.inject({ url: '/admin', headers: bearer() })
    t.match([role.statusCode, role.json().code], [403, 'forbidden'])
  })

  t.test('refuses before it reads a body', async t => {
    const headers = { 'content-type': 'application/x-count' }
    t.equal((await app.inject({ method: 'POST', url: '/places', headers, payload: 'x' })).statusCode, 401)
    t.equal(bodies, 0)
    t.equal(
      (
        await app.inject({
          method: 'POST',
          url: '/places',
          headers: { ...headers, ...bearer({ permissions: ['places:create'] }) },
          payload: 'x',
        })
      ).statusCode,
      200,
    )
    t.equal(bodies, 1)
  })

  t.test('H-05 is not deceived by another spelling of the path', async t => {
    const spellings = [
      '/%70laces',
      '/places?x=/open',
      '/pl%61ces',
      '/places#/open',
      '/places;/open',
      '//places',
      '/./places',
      '/open/../places',
      '/places/',
      '/PLACES',
      '/%2fplaces',
      'http://localhost/places',
    ]
    for (const url of spellings) {
      const answer = await app.inject({ url })
      t.ok([401, 404].includes(answer.statusCode), `${url}: ${answer.statusCode}`)
    }
    await app.listen({ port: 0, host: '127.0.0.1' })
    const { port } = app.server.address() as AddressInfo
    for (const target of ['/%70laces', 'http://localhost/places', '/open/../places']) {
      const socket = connect(port, '127.0.0.1')
      socket.write(`GET ${target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`)
      let raw = ''
      socket.setEncoding('utf8').on('data', chunk => {
        raw += chunk
      })
      await once(socket, 'close')
      t.match(raw, /^HTTP\/1\.1 40[14] /, `${target} over a socket`)
    }
    const socket = connect(port, '127.0.0.1')
    const { authorization } = bearer({ sub: 'somebody' })
    socket.write(
      `GET /me HTTP/1.1\r\nHost: x\r\nAuthorization: ${authorization}\r\nauthorization: Bearer other\r\nConnection: close\r\n\r\n`,
    )
    const [answer] = (await once(socket, 'data')) as [Buffer]
    t.match(
      answer.toString(),
      /^HTTP\/1\.1 401 [^]*malformed/,
      'a repeated Authorization header is refused, though Node hides it',
    )
  })

  t.test('leaves unknown addresses to the not-found handler', async t => {
    t.equal((await app.inject('/nowhere')).statusCode, 404)
    t.equal((await app.inject({ method: 'OPTIONS', url: '/places' })).statusCode, 404)
  })

  t.test('throws where a public handler asks for a principal', async t => {
    t.equal((await app.inject('/mistake')).statusCode, 500)
  })
})

t.test('Keys that are unavailable are answered with 503 and Retry-After', async t => {
  const app = await buildServer(t, { fetch: async () => new Response(null, { status: 500 }) })
  app.get('/me', { config: { access: {} } }, async () => 'me')
  const answer = await app.inject({ url: '/me', headers: bearer() })
  t.equal(answer.statusCode, 503)
  t.equal(answer.headers['retry-after'], '5')
  t.equal(answer.headers['www-authenticate'], undefined)
  t.match(answer.json(), { code: 'keys-unavailable' })
})

t.test('A request id that is no UUID is not shown as one', async t => {
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(signet, {
    verifier: createVerifier({ issuer: issuer.issuer, audience: 'signet', keys: { jwks: issuer.jwks } }),
  })
  app.get('/me', { config: { access: {} } }, async () => 'me')
  t.notOk('instance' in (await app.inject('/me')).json())
})

t.test('The boot stops', async t => {
  t.test('at routes without config.access, naming them', async t => {
    const app = await buildServer(t)
    app.get('/open', { config: { access: 'public' } }, async () => '')
    app.get('/forgotten', async () => '')
    await app.register(async scope => scope.delete('/also', async () => ''), { prefix: '/scope' })
    await t.rejects(async () => app.ready(), {
      message: /no config\.access.*: GET \/forgotten, HEAD \/forgotten, DELETE \/scope\/also$/,
    })
  })

  t.test('at a need that makes no sense', async t => {
    const app = await buildServer(t)
    app.get('/typo', { config: { access: { permission: ['places:read'] } as object } }, async () => '')
    await t.rejects(async () => app.ready(), {
      name: 'TypeError',
      message: /GET \/typo is wrong: need\.permission is not known/,
    })
  })

  t.test('when there were routes before the guard', async t => {
    const verifier = createVerifier({ issuer: issuer.issuer, audience: 'signet', keys: { jwks: issuer.jwks } })
    const app = Fastify()
    t.teardown(() => app.close())
    app.register(signet, { verifier })
    app.post('/too-early', { config: { access: {} } }, async () => '')
    await t.rejects(async () => app.ready(), { message: /with await, before the first route[^]*too-early/ })
  })
})

t.test('A scope may give the routes of a foreign plugin their access', async t => {
  const app = await buildServer(t)
  await app.register(async scope => {
    scope.addHook('onRoute', route => {
      route.config = { ...route.config, access: 'public' }
    })
    scope.get('/docs', async () => 'docs')
  })
  app.get('/me', { config: { access: {} } }, async () => 'me')
  t.equal((await app.inject('/docs')).statusCode, 200)
  t.equal((await app.inject('/me')).statusCode, 401)
})

t.test('A route that was there before, as a CORS plugin brings one, is refused', async t => {
  const verifier = createVerifier({ issuer: issuer.issuer, audience: 'signet', keys: { jwks: issuer.jwks } })
  const app = Fastify()
  t.teardown(() => app.close())
  app.options('*', async () => 'preflight')
  await app.register(signet, { verifier })
  const answer = await app.inject({ method: 'OPTIONS', url: '/x', headers: bearer() })
  t.match([answer.statusCode, answer.json().detail], [403, 'This route does not say who may call it.'])
})

t.test('A route may be entered by something else than a token', async t => {
  const verifier = createVerifier({ issuer: issuer.issuer, audience: issuer.audience, keys: { jwks: issuer.jwks } })
  const app = Fastify()
  t.teardown(() => app.close())
  const asked: string[] = []
  await app.register(signet, {
    verifier,
    alternative: async request => {
      asked.push(request.url)
      return request.headers['x-key'] === 'right'
    },
  })
  app.get('/me', { config: { access: {} } }, async () => 'me')
  app.get('/mistake', { config: { access: {} } }, async request => request.principal.subject)
  app.get('/open', { config: { access: 'public' } }, async () => 'open')

  const right = { 'x-key': 'right' }
  t.equal((await app.inject({ url: '/me', headers: right })).body, 'me')
  t.equal((await app.inject({ url: '/me', headers: { 'x-key': 'wrong' } })).statusCode, 401)
  t.equal((await app.inject({ url: '/me', headers: bearer() })).statusCode, 200)
  t.equal((await app.inject({ url: '/mistake', headers: right })).statusCode, 500, 'there is no principal then')
  asked.length = 0
  t.equal((await app.inject('/open')).statusCode, 200)
  t.equal((await app.inject('/nowhere')).statusCode, 404)
  t.strictSame(asked, [], 'what is public or unknown asks for nothing')
})

t.test('Several verifiers', async t => {
  const verifier = createVerifier({ issuer: issuer.issuer, audience: issuer.audience, keys: { jwks: issuer.jwks } })
  const build = async (t: Test): Promise<FastifyInstance> => {
    const app = Fastify()
    t.teardown(() => app.close())
    return app
  }

  t.test('stop the boot where a route names one that nobody registered', async t => {
    const app = await build(t)
    await app.register(signet, { verifier, namespace: 'staff' })
    app.get('/partner', { config: { access: { namespace: 'partner' } } }, async () => '')
    await t.rejects(async () => app.ready(), {
      name: 'TypeError',
      message: /GET \/partner is wrong: no verifier is registered with the namespace partner/,
    })
  })

  t.test('stop it where a route names none, and each of them has a namespace', async t => {
    const app = await build(t)
    await app.register(signet, { verifier, namespace: 'staff' })
    app.get('/me', { config: { access: {} } }, async () => '')
    await t.rejects(async () => app.ready(), { message: /no verifier is registered with the namespace principal/ })
  })

  for (const [what, namespace, message] of [
    ['that is there already', undefined, /registered twice with the namespace principal/],
    ['that a request has anyway', 'headers', /^The name headers is taken/],
    ['that a request has from its start', 'body', /^The name body is taken/],
  ] as const) {
    t.test(`do not take a namespace ${what}`, async t => {
      const app = await build(t)
      await app.register(signet, { verifier })
      await t.rejects(async () => app.register(signet, { verifier, ...(namespace !== undefined && { namespace }) }), {
        message,
      })
    })
  }

  t.test('stand beside each other, not below', async t => {
    const app = await build(t)
    await app.register(signet, { verifier })
    await t.rejects(
      async () => app.register(async scope => scope.register(signet, { verifier, namespace: 'partner' })),
      { message: /Register all verifiers where the first one is/ },
    )
  })

  t.test('may be registered when there are routes, which the first one has seen', async t => {
    const app = await build(t)
    await app.register(signet, { verifier })
    app.get('/partner', { config: { access: { namespace: 'partner' } } }, async request => request.partner.subject)
    app.get('/mistake', { config: { access: {} } }, async request => request.partner.subject)
    await app.register(signet, { verifier, namespace: 'partner' })
    const headers = bearer({ sub: 'a partner' })
    t.equal((await app.inject('/partner')).statusCode, 401)
    t.equal((await app.inject({ url: '/partner', headers })).body, 'a partner')
    t.match((await app.inject({ url: '/mistake', headers })).json(), {
      statusCode: 500,
      message: /^This request has no partner/,
    })
  })

  t.test('of one resource serve one document', async t => {
    const app = await build(t)
    const resourceMetadata = protectedResourceMetadata({
      resource: 'https://api.test/a:b',
      authorizationServers: [issuer.issuer],
    })
    await app.register(signet, { verifier, resourceMetadata })
    await app.register(signet, { verifier, namespace: 'partner', resourceMetadata })
    t.match((await app.inject('/.well-known/oauth-protected-resource/a:b')).json(), {
      resource: 'https://api.test/a:b',
    })
    t.equal((await app.inject('/.well-known/oauth-protected-resource/ab')).statusCode, 404)
  })
})

t.test('Options that are wrong stop the boot', async t => {
  const verifier = createVerifier({ issuer: issuer.issuer, audience: issuer.audience, keys: { jwks: issuer.jwks } })
  for (const options of [
    {},
    { verifier, realm: '"' },
    { verifier, resourceMetadata: {} },
    { verifier, verifiers: [] },
  ]) {
    const app = Fastify()
    t.teardown(() => app.close())
    await t.rejects(async () => app.register(signet, options as never), { name: 'TypeError' })
  }
})

t.test('The OpenAPI document says what the guard does', async t => {
  const verifier = createVerifier({ issuer: issuer.issuer, audience: issuer.audience, keys: { jwks: issuer.jwks } })
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(signet, { verifier, securityScheme: 'bearer' })
  await app.register(signet, { verifier, namespace: 'partner', securityScheme: 'partner' })
  await app.register(signet, { verifier, namespace: 'hidden' })
  const bearerScheme = { type: 'http', scheme: 'bearer' } as const
  const securitySchemes = { bearer: bearerScheme, partner: bearerScheme, oauth: bearerScheme }
  await app.register(swagger, {
    openapi: { openapi: '3.1.0', security: [{ bearer: [] }], components: { securitySchemes } },
  })
  const route = (path: string, access: Access, schema: object = {}): void => {
    app.get(path, { config: { access }, schema }, async () => '')
  }
  route('/open', 'public')
  route('/token', {})
  route('/all', { permissions: ['a:read', 'b:read'], roles: ['admin'] })
  route('/any', { permissions: ['a:read'], anyPermission: ['b:read', 'c:read'] })
  route('/optional', { optional: true, permissions: ['a:read'] })
  route('/partner', { namespace: 'partner', permissions: ['a:read'] })
  route('/hidden', { namespace: 'hidden' })
  route('/own', {}, { security: [{ oauth: ['x'] }] })
  await app.register(async scope => {
    scope.addHook('onRoute', found => {
      found.config = { ...found.config, access: 'public' }
    })
    scope.get('/late', async () => '')
  })
  await app.ready()
  const { paths = {} } = app.swagger() as { paths?: Record<string, { get?: { security?: unknown } }> }
  t.strictSame(Object.fromEntries(Object.entries(paths).map(([path, item]) => [path, item.get?.security])), {
    '/open': [],
    '/token': [{ bearer: [] }],
    '/all': [{ bearer: ['a:read', 'b:read'] }],
    '/any': [{ bearer: ['a:read', 'b:read'] }, { bearer: ['a:read', 'c:read'] }],
    '/optional': [{}, { bearer: ['a:read'] }],
    '/partner': [{ partner: ['a:read'] }],
    '/hidden': undefined,
    '/own': [{ oauth: ['x'] }],
    '/late': [],
  })
})

t.test('A document that was told of no scheme stays as it is', async t => {
  const app = await buildServer(t)
  await app.register(swagger, { openapi: { openapi: '3.1.0' } })
  app.get('/me', { config: { access: {} } }, async () => 'me')
  app.get('/open', { config: { access: 'public' } }, async () => 'open')
  await app.ready()
  t.notMatch(JSON.stringify(app.swagger()), 'security')
})

checkAdapter(t, 'Fastify', async (t, { staff, partner, realm, resourceMetadata, broken }) => {
  const errors: unknown[] = []
  const app = Fastify()
  t.teardown(() => app.close())
  app.setErrorHandler((error, _, reply) => {
    errors.push(error)
    return reply.code(500).send('')
  })
  await app.register(signet, { verifier: staff, realm, resourceMetadata })
  await app.register(signet, { verifier: partner, namespace: 'partner', realm })
  const optional = { config: { access: { optional: true } } }
  const token = { config: { access: {} } }
  app.get('/open', { config: { access: 'public' } }, async () => 'open')
  app.get('/mistake', { config: { access: 'public' } }, async request => principalOf(request).subject)
  app.get('/maybe', optional, async request => findPrincipal(request)?.subject ?? 'nobody')
  app.get('/maybe-mistake', optional, async request => request.principal.subject)
  app.get(
    '/partner',
    { config: { access: { namespace: 'partner', permissions: ['orders:read'] } } },
    async request => request.partner.subject,
  )
  app.get('/me', token, async request => request.principal.subject)
  app.get('/below', token, async () => 'below')
  app.get('/places', { config: { access: { permissions: ['places:read'] } } }, async () => 'places')
  app.get('/any', { config: { access: { anyPermission: ['places:read', 'places:list'] } } }, async () => 'any')
  app.post<{ Body: { name: string } }>(
    '/places',
    { config: { access: { permissions: ['places:create'] } } },
    async request => `created ${request.body.name}`,
  )
  app.get('/broken', token, async () => {
    throw broken
  })
  await app.listen({ port: 0, host: '127.0.0.1' })
  return { port: (app.server.address() as AddressInfo).port, errors }
})
