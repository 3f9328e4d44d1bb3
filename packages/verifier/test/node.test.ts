import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createVerifier } from '@signet/verifier'
import { findPrincipal, type GuardedHandler, principalOf, signet } from '@signet/verifier/node'
import t from 'tap'
import { checkAdapter, listen, type Scenario } from './http-conformance.ts'

function buildRoutes({ staff, partner, realm, resourceMetadata, broken }: Scenario): GuardedHandler {
  const guard = signet({ verifier: staff, realm, resourceMetadata })
  const partnerGuard = signet({ verifier: partner, namespace: 'partner', realm })
  const routes: Readonly<Record<string, GuardedHandler>> = {
    'GET /open': guard('public', (_, response) => response.end('open')),
    'GET /mistake': guard('public', (request, response) => response.end(principalOf(request).subject)),
    'GET /maybe': guard({ optional: true }, (request, response) =>
      response.end(findPrincipal(request)?.subject ?? 'nobody'),
    ),
    'GET /maybe-mistake': guard({ optional: true }, (request, response) =>
      response.end((request as IncomingMessage & { principal: { subject: string } }).principal.subject),
    ),
    'GET /partner': partnerGuard({ permissions: ['orders:read'] }, (request, response) =>
      response.end(request.partner.subject),
    ),
    'GET /me': guard({}, (request, response) => response.end(request.principal.subject)),
    'GET /below': guard({}, (_, response) => response.end('below')),
    'GET /places': guard({ permissions: ['places:read'] }, (_, response) => response.end('places')),
    'GET /any': guard({ anyPermission: ['places:read', 'places:list'] }, (_, response) => response.end('any')),
    'POST /places': guard({ permissions: ['places:create'] }, async (request, response) => {
      let body = ''
      for await (const chunk of request.setEncoding('utf8')) body += chunk
      response.end(`created ${JSON.parse(body).name}`)
    }),
    'GET /broken': guard({}, async () => {
      throw broken
    }),
  }
  const missing: GuardedHandler = async (_, response) => void response.writeHead(404).end()
  return guard.metadata((request, response) => {
    const { method = '', url = '' } = request
    const name = `${method === 'HEAD' ? 'GET' : method} ${url.split('?')[0]}`
    return (routes[name] ?? missing)(request, response)
  })
}

t.test('Types know where there is a principal', async t => {
  const guard = signet({
    verifier: createVerifier({ issuer: 'https://id.test', audience: 'test' }),
    namespace: 'staff',
  })
  guard({ roles: ['admin'] }, (request, response) => response.end(request.staff.subject))
  // @ts-expect-error -- it has another name
  guard({ roles: ['admin'] }, (request, response) => response.end(request.principal.subject))
  // @ts-expect-error -- on an optional route there may be none
  guard({ optional: true }, (request, response) => response.end(request.staff.subject))
  // @ts-expect-error -- on a public route there is none
  guard('public', (request, response) => response.end(request.staff.subject))
  // @ts-expect-error -- a need has no such member
  t.throws(() => guard({ permission: ['a:read'] }, () => undefined))
})

checkAdapter(t, 'node:http', async (t, scenario) => {
  const errors: unknown[] = []
  const answer = buildRoutes(scenario)
  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    try {
      await answer(request, response)
    } catch (error) {
      errors.push(error)
      response.writeHead(500).end()
    }
  }
  return {
    port: await listen(
      t,
      createServer((request, response) => void handle(request, response)),
    ),
    errors,
  }
})
