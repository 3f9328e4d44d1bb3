/**
 * What Signet's other programs answer behind one origin. Each path is claimed once: of the operations paths that every program
 * has, `/health`, `/version` and `/config` are the administration's, the rest the issuer's. A test compares this with the API
 * documents of the programs.
 */
import type { ServiceRoute } from '@signet/db'

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

export const issuerRoutes: readonly ServiceRoute[] = [
  ...routesOf(open, [
    'GET /',
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
    'POST /user/access/regeneratetoken/{refresh_key}',
    'POST /verify_password',
    'POST /users/password-reset/request',
    'POST /users/password-reset/confirm',
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
    'PATCH /users/me/change-password',
    'POST /api/v1/me/contacts',
    'POST /api/v1/me/contacts/confirm',
    'PUT,DELETE /api/v1/me/refresh-key',
    'POST /api/v1/me/memberships/{id}/accept',
    'GET,POST /api/v1/advisor/client-tokens',
    'DELETE /api/v1/advisor/client-tokens/{id}',
    'POST /api/v1/advisor/request-client-token',
    'POST /user/access/setrefreshkey/{new_key}',
  ]),
]

/** Of the map directory, until it registers itself as the service `places`. */
export const placesRoutes: readonly ServiceRoute[] = [
  ...routesOf({ permissions: ['places:read'] }, ['GET /places', 'GET /places/{id}', 'GET /mapdirectory/places/all']),
  ...routesOf({ permissions: ['places:create'] }, ['POST /places']),
  ...routesOf({ permissions: ['places:modify'] }, ['PATCH /places/{id}']),
  ...routesOf({ permissions: ['places:delete'] }, ['DELETE /places/{id}']),
]
