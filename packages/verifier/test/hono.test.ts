import type { Server } from 'node:http'
import { createAdaptorServer } from '@hono/node-server'
import { findPrincipal, principalOf, signet, type SignetEnv } from '@signet/verifier/hono'
import { createVerifier } from '@signet/verifier'
import { Hono } from 'hono'
import t from 'tap'
import { checkAdapter, listen } from './http-conformance.ts'

t.test('Types know where there is a principal', async t => {
  const guard = signet({ verifier: createVerifier({ issuer: 'https://id.test', audience: 'test' }) })
  const app = new Hono()
  app.get('/token', guard({ permissions: ['a:read'] }), c => c.text(c.var.principal.subject))
  // @ts-expect-error -- on an optional route there may be none
  app.get('/optional', guard({ optional: true }), c => c.text(c.var.principal.subject))
  // @ts-expect-error -- on a public route there is none
  app.get('/public', guard('public'), c => c.text(c.var.principal.subject))
  // @ts-expect-error -- a need has no such member
  t.throws(() => guard({ permission: ['a:read'] }))
  // @ts-expect-error -- called by Hono, it would be given a context for a need
  app.use(guard)
})

checkAdapter(t, 'Hono', async (t, { staff, partner, realm, resourceMetadata, broken }) => {
  const errors: unknown[] = []
  const guard = signet({ verifier: staff, realm, resourceMetadata })
  const partnerGuard = signet({ verifier: partner, namespace: 'partner', realm })

  const app = new Hono<SignetEnv>()
  app.onError((error, c) => {
    errors.push(error)
    return c.body(null, 500)
  })
  app.get('/open', c => c.text('open'))
  app.get('/mistake', c => c.text(principalOf(c).subject))
  app.get('/maybe', guard({ optional: true }), c => c.text(findPrincipal(c)?.subject ?? 'nobody'))
  app.get('/maybe-mistake', guard({ optional: true }), c => c.text(principalOf(c).subject))
  app.get('/partner', partnerGuard({ permissions: ['orders:read'] }), c => c.text(c.var.partner.subject))

  app.use(guard())
  app.get('/me', c => c.text(c.var.principal.subject))
  app.get('/below', c => c.text('below'))
  app.get('/any', guard({ anyPermission: ['places:read', 'places:list'] }), c => c.text('any'))
  app.get('/broken', () => {
    throw broken
  })
  const places = new Hono<SignetEnv>()
  places.get('/', guard({ permissions: ['places:read'] }), c => c.text('places'))
  places.post('/', guard({ permissions: ['places:create'] }), async c => c.text(`created ${(await c.req.json()).name}`))
  app.route('/places', places)
  return { port: await listen(t, createAdaptorServer({ fetch: app.fetch }) as Server), errors }
})
