import type { Server } from 'node:http'
import { createAdaptorServer } from '@hono/node-server'
import { findPrincipal, principalOf, signet, type SignetEnv } from '@signet/verifier/hono'
import { Hono } from 'hono'
import t from 'tap'
import { checkAdapter, listen } from './http-conformance.ts'

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
