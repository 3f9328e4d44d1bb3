// What an adapter refuses to be set up with, and what it does to a request in general. The table of requests is in
// http-conformance.ts.
import { createVerifier } from '@signet/verifier'
import { signet as forExpress } from '@signet/verifier/express'
import { signet as forHono } from '@signet/verifier/hono'
import { signet as forKoa } from '@signet/verifier/koa'
import { protectedResourceMetadata, signet as forNode } from '@signet/verifier/node'
import { createTestIssuer } from '@signet/verifier/testing'
import { Hono } from 'hono'
import t from 'tap'

const issuer = createTestIssuer()
const verifier = createVerifier({ issuer: issuer.issuer, audience: issuer.audience, keys: { jwks: issuer.jwks } })
const resource = 'https://api.test'
const authorizationServers = [issuer.issuer]

/** Set up in a way that types refuse. */
type Careless = (options: unknown) => ((...access: unknown[]) => unknown) & { metadata(...more: unknown[]): unknown }

for (const [name, signet] of Object.entries({ forExpress, forHono, forKoa, forNode }) as [string, Careless][]) {
  t.test(`signet ${name} is a TypeError at set-up`, async t => {
    for (const [what, options, message] of [
      ['without a verifier', {}, 'verifier must be what createVerifier gives'],
      ['with options for one', { verifier: { issuer: 'x' } }, 'verifier must be'],
      ['with an option that it does not know', { verifier, realms: 'x' }, 'signet has no option realms'],
      ['with a realm that would end its quotes', { verifier, realm: 'a "b"' }, 'realm must be text without quotes'],
      ['with a namespace that is no name', { verifier, namespace: 'my partner' }, 'namespace must be a name'],
      ['with a namespace of its prototype', { verifier, namespace: '__proto__' }, 'namespace must be a name'],
      [
        'with metadata that nobody has checked',
        { verifier, resourceMetadata: { resource } },
        'resourceMetadata must be',
      ],
    ] as const) {
      t.throws(() => signet(options), { name: 'TypeError', message: new RegExp(`^${message}`) }, what)
    }

    const guard = signet({ verifier })
    const handler = name === 'forNode' ? [() => undefined] : []
    for (const [what, access, message] of [
      ['with a need that is misspelt', { permission: ['a:read'] }, 'need.permission is not known'],
      ['with a need that is met by everybody', { permissions: [] }, 'need.permissions must be a list'],
      ['with a list', ['a:read'], 'need must be an object'],
      ['with null', null, 'need must be an object'],
      ['with another word than public', 'private', 'need must be an object'],
      ['with an option that is neither true nor false', { optional: 'no' }, 'optional must be true or false'],
    ] as const) {
      t.throws(() => guard(access, ...handler), { name: 'TypeError', message: new RegExp(`^${message}`) }, what)
    }
    t.throws(() => guard.metadata(...handler), { name: 'TypeError' }, 'with metadata to serve, and none given')
    t.throws(() => guard({}, {}), { name: 'TypeError' }, 'handed over as if it were the middleware')
  })
}

t.test('A name that the request has already is no namespace', async t => {
  const guard = forExpress({ verifier, namespace: 'headers' })
  const found = await new Promise(resolve => {
    // More of a request is not looked at.
    guard()({ headers: {}, rawHeaders: [], url: '/' } as never, {} as never, resolve)
  })
  t.match(found, { name: 'TypeError', message: /^The name headers is taken/ })
})

t.test('A refusal keeps the headers that a middleware before it has set', async t => {
  const app = new Hono()
  app.use(async (c, next) => {
    c.header('access-control-allow-origin', 'https://app.test')
    await next()
  })
  app.use(forHono({ verifier })())
  const answer = await app.request('/')
  t.match([answer.status, answer.headers.get('access-control-allow-origin')], [401, 'https://app.test'])
})

t.test('What is found last counts', async t => {
  const guard = forHono({ verifier })
  const cookies = createVerifier({
    issuer: issuer.issuer,
    audience: issuer.audience,
    keys: { jwks: issuer.jwks },
    cookie: 'other',
  })
  const app = new Hono()
  app.get('/', guard(), forHono({ verifier: cookies })({ optional: true }), c => c.text(c.var.principal?.subject ?? ''))
  app.get('/nobody', forHono({ verifier: cookies })(), guard({ optional: true }), c => {
    return c.text(c.var.principal?.subject ?? 'nobody')
  })
  const headers = { cookie: `other=${issuer.token()}` }
  t.equal(await (await app.request('/nobody', { headers })).text(), 'nobody', 'of an earlier guard nothing is left')
})

t.test('The metadata of a resource', async t => {
  t.test('is where RFC 9728 section 3.1 puts it', async t => {
    for (const [given, url] of [
      ['https://api.test', 'https://api.test/.well-known/oauth-protected-resource'],
      ['https://api.test/', 'https://api.test/.well-known/oauth-protected-resource'],
      ['https://api.test:8443/v1/places', 'https://api.test:8443/.well-known/oauth-protected-resource/v1/places'],
      ['https://api.test/v1/', 'https://api.test/.well-known/oauth-protected-resource/v1/'],
      ['https://api.test/a"b', 'https://api.test/.well-known/oauth-protected-resource/a%22b'],
      ['http://localhost:3000', 'http://localhost:3000/.well-known/oauth-protected-resource'],
    ] as const) {
      const metadata = protectedResourceMetadata({ resource: given, authorizationServers })
      t.equal(metadata.url, url)
      t.equal(metadata.path, new URL(url).pathname)
      t.equal(metadata.document.resource, given, 'as it was given: clients compare it letter by letter (section 3.3)')
    }
  })

  t.test('says what it was told, in the words of section 2', async t => {
    const { document } = protectedResourceMetadata({
      resource,
      authorizationServers,
      scopes: ['places'],
      name: 'Places',
      documentation: 'https://api.test/docs',
      policy: 'https://api.test/policy',
      terms: 'https://api.test/terms',
    })
    t.strictSame(JSON.parse(JSON.stringify(document)), {
      resource,
      authorization_servers: authorizationServers,
      bearer_methods_supported: ['header'],
      scopes_supported: ['places'],
      resource_name: 'Places',
      resource_documentation: 'https://api.test/docs',
      resource_policy_uri: 'https://api.test/policy',
      resource_tos_uri: 'https://api.test/terms',
    })
    t.ok(Object.isFrozen(document))
  })

  t.test('is a TypeError that names the fault', async t => {
    for (const [options, message] of [
      [{ resource: 'api.test' }, 'resource must be an http or https URL'],
      [{ resource: 'http://api.test' }, 'resource must be an https URL'],
      [{ resource: 'https://api.test/?a=b' }, 'resource must have no query and no fragment'],
      [{ resource: 'https://api.test/#' }, 'resource must have no query and no fragment'],
      [{ authorizationServers: [] }, 'authorizationServers must be a list'],
      [{ authorizationServers: ['id.test'] }, 'authorizationServers must be an http or https URL'],
      [{ scopes: [] }, 'scopes must be a list'],
      [{ terms: 'javascript:alert(1)' }, 'terms must be an http or https URL'],
      [{ scope: 'places' }, 'protectedResourceMetadata has no option scope'],
    ] as const) {
      const whole = { resource, authorizationServers, ...options } as never
      t.throws(() => protectedResourceMetadata(whole), { name: 'TypeError', message: new RegExp(`^${message}`) })
    }
  })
})
