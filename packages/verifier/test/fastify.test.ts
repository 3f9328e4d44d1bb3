import { once } from 'node:events'
import { connect } from 'node:net'
import type { AddressInfo } from 'node:net'
import { createVerifier, type Principal } from '@signet/verifier'
import { findPrincipal, principalOf, signet } from '@signet/verifier/fastify'
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
        title: 'Authentication required',
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
