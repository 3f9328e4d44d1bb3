/**
 * What Signet's other programs answer behind one origin. Each path is claimed once: of the operations paths that every program
 * has, `/health`, `/version` and `/config` are the administration's, the rest the issuer's. A test compares this with the API
 * documents of the programs.
 */
import type { ServiceRoute } from '@signet/db'
import { type ReplacedSystem, replacedSystems } from '@signet/kernel'

/** Every program has some of these of its own. Behind one origin they are Signet's, so a document that names them claims none. */
export const operationsPaths: ReadonlySet<string> = new Set([
  '/',
  '/docs',
  '/openapi.json',
  '/health',
  '/livez',
  '/readyz',
  '/version',
  '/config',
  '/init-db',
])

const open = 'public'
const signedIn = { permissions: [] }

function routesOf(access: ServiceRoute['access'], lines: readonly string[]): ServiceRoute[] {
  return lines.map(line => {
    const [methods = '', path = ''] = line.split(' ')
    return { path, methods: methods.split(','), access }
  })
}

const nativeRoutes: readonly ServiceRoute[] = [
  ...routesOf(open, [
    'GET /docs',
    'GET /docs/{file}',
    'GET /openapi.json',
    'GET /livez',
    'GET /readyz',
    'GET /api/v1/healthcheck',
    'GET /.well-known/jwks.json',
    'GET /.well-known/public-key.pem',
    'GET /.well-known/oauth-authorization-server',
    'GET /status-lists',
    'GET /status-lists/{id}',
    'GET /verifier/events',
    // By a token or a service key, which no gateway can tell from a wrong one.
    'GET /bundles/{tid}',
    'POST /api/v1/users',
    'POST /api/v1/tokens',
    'POST /api/v1/tokens/refresh',
    'POST /api/v1/tokens/revoke',
    'POST /api/v1/tokens/refresh-key',
    'POST /api/v1/otp/requests',
    'POST /api/v1/otp/verifications',
    'POST /api/v1/password-resets',
    'POST /api/v1/password-resets/confirm',
    'POST /auth/client-token',
    'POST /oauth2/revoke',
    // By a service key, which no gateway can tell from a wrong one.
    'POST /oauth2/introspect',
    'POST /api/v1/system-emails',
  ]),
  ...routesOf(signedIn, [
    'POST /api/v1/tokens/tenant',
    'GET,DELETE /api/v1/sessions',
    'DELETE /api/v1/sessions/{id}',
    'GET,PATCH /api/v1/me',
    'PUT /api/v1/me/password',
    'POST /api/v1/me/contacts',
    'POST /api/v1/me/contacts/confirm',
    'PUT,DELETE /api/v1/me/refresh-key',
    'POST /api/v1/me/memberships/{id}/accept',
    'GET,POST /api/v1/advisor/client-tokens',
    'DELETE /api/v1/advisor/client-tokens/{id}',
  ]),
]

/** Of older systems, by their names. */
const compatRoutes: Partial<Record<ReplacedSystem, readonly ServiceRoute[]>> = {
  'eng-identity': [
    ...routesOf(open, [
      'POST /auth/request-otp',
      'POST /auth/verify-otp',
      'POST /auth/refresh',
      'POST /auth/logout',
      // By a service key.
      'POST /api/v1/send-system-email',
    ]),
    ...routesOf(signedIn, ['GET /auth/user', 'POST /api/v1/advisor/request-client-token']),
  ],
  'pm-identity-api': [
    ...routesOf(open, [
      'POST /verify_password',
      'POST /users/password-reset/request',
      'POST /users/password-reset/confirm',
    ]),
    ...routesOf(signedIn, ['PATCH /users/me/change-password']),
  ],
  'scalable-auth': [
    ...routesOf(open, [
      'POST /auth/otp/sendotp/{number}',
      'POST /auth/user/login/{number}/{otp}',
      'POST /auth/admin/login',
      'POST /auth/client/login',
      'POST /auth/subclient/login',
      'POST /user/access/regeneratetoken/{refresh_key}',
    ]),
    ...routesOf(signedIn, [
      'POST /auth/admin/create',
      'POST /auth/client/create',
      'POST /auth/subclient/create',
      'POST /user/access/setrefreshkey/{new_key}',
    ]),
  ],
  'chat-auth': [...routesOf(open, ['POST /register', 'POST /token']), ...routesOf(signedIn, ['POST /validate'])],
}

/** What the issuer answers. Nobody else is given a path of an older system that is switched off: it may be switched on again. */
export function issuerRoutes(systems: Iterable<ReplacedSystem> = replacedSystems): readonly ServiceRoute[] {
  // The root is the issuer's in any case.
  return [...routesOf(open, ['GET /']), ...nativeRoutes, ...[...systems].flatMap(name => compatRoutes[name] ?? [])]
}

/** Of the map directory, until it registers itself as the service `places`. */
export function placesRoutes(systems: Iterable<ReplacedSystem> = replacedSystems): readonly ServiceRoute[] {
  const reads = { permissions: ['places:read'] }
  const isFull = [...systems].includes('scalable-auth')
  return [
    ...routesOf(reads, ['GET /places', 'GET /places/{id}']),
    ...routesOf(reads, isFull ? ['GET /mapdirectory/places/all'] : []),
    ...routesOf({ permissions: ['places:create'] }, ['POST /places']),
    ...routesOf({ permissions: ['places:modify'] }, ['PATCH /places/{id}']),
    ...routesOf({ permissions: ['places:delete'] }, ['DELETE /places/{id}']),
  ]
}
