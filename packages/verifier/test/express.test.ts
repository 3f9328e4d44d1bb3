import { createServer } from 'node:http'
import express, { type ErrorRequestHandler } from 'express'
// @ts-expect-error -- Express under another name, for which there are no types
import express4 from 'express-4'
import { findPrincipal, principalOf, signet } from '@signet/verifier/express'
import { createVerifier, type Principal } from '@signet/verifier'
import t from 'tap'
import { checkAdapter, listen } from './http-conformance.ts'

declare global {
  namespace Express {
    interface Request {
      readonly partner: Principal
    }
  }
}

t.test('Types of a route stay exact behind a guard', async t => {
  const guard = signet({ verifier: createVerifier({ issuer: 'https://id.test', audience: 'test' }) })
  const app = express()
  app.get('/places/:id', guard(), (request, response) => {
    const id: string = request.params.id
    // @ts-expect-error -- the path has no such parameter
    const other: string = request.params.other
    response.send([id, other])
  })
  // @ts-expect-error -- a need has no such member
  t.throws(() => guard({ permission: ['a:read'] }))
})

for (const [name, framework] of [
  ['Express 5', express],
  ['Express 4', express4 as typeof express],
] as const) {
  checkAdapter(t, name, async (t, { staff, partner, realm, resourceMetadata, broken }) => {
    const errors: unknown[] = []
    const app = framework()
    const guard = signet({ verifier: staff, realm, resourceMetadata })
    const partnerGuard = signet({ verifier: partner, namespace: 'partner', realm })

    app.get('/open', (_, response) => void response.send('open'))
    app.get('/mistake', (request, response) => void response.send(principalOf(request).subject))
    app.get('/maybe', guard({ optional: true }), (request, response) => {
      response.send(findPrincipal(request)?.subject ?? 'nobody')
    })
    app.get('/maybe-mistake', guard({ optional: true }), (request, response) => {
      response.send(request.principal.subject)
    })
    app.get('/partner', partnerGuard({ permissions: ['orders:read'] }), (request, response) => {
      response.send(request.partner.subject)
    })

    app.use(guard())
    app.use(framework.json())
    app.get('/me', (request, response) => void response.send(request.principal.subject))
    app.get('/below', (_, response) => void response.send('below'))
    app.get(
      '/any',
      guard({ anyPermission: ['places:read', 'places:list'] }),
      (_, response) => void response.send('any'),
    )
    app.get('/broken', () => {
      throw broken
    })
    // A router of its own, where the address that the request sees is a part of the whole.
    const places = framework.Router()
    places.get('/', guard({ permissions: ['places:read'] }), (_, response) => void response.send('places'))
    places.post('/', guard({ permissions: ['places:create'] }), (request, response) => {
      response.send(`created ${request.body.name}`)
    })
    app.use('/places', places)

    const answerError: ErrorRequestHandler = (error, _request, response, _next) => {
      errors.push(error)
      response.status(500).end()
    }
    app.use(answerError)
    return { port: await listen(t, createServer(app)), errors }
  })
}
