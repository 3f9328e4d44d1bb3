/**
 * Of pm-identity-api: they fail in its form, and their services are those of the native routes, which the walks go over.
 * pm-identity-api.test.ts walks them in their own form.
 */
const resource = (path: string) => [
  `GET ${path}`,
  `POST ${path}`,
  ...['GET', 'PUT', 'PATCH', 'DELETE'].map(method => `${method} ${path}/:id`),
]
const imageOf = (path: string) => ['GET', 'POST', 'DELETE'].map(method => `${method} ${path}`)

export const pmIdentityRoutes: readonly string[] = [
  'GET /init-db',
  'POST /init-db',
  'GET /users',
  'POST /users',
  'GET /users/:id',
  'PUT /users/:id',
  'PATCH /users/:id',
  'DELETE /users/:id',
  'POST /users/:id/admin-reset-password',
  'GET /users/:id/roles',
  'POST /users/:id/roles',
  'GET /users/:id/roles/:role_id',
  'DELETE /users/:id/roles/:role_id',
  'GET /users/:id/policies',
  'GET /users/:id/permissions',
  ...imageOf('/users/:id/avatar'),
  ...resource('/companies'),
  ...imageOf('/companies/:id/logo'),
  ...resource('/organization_units'),
  'GET /organization_units/:id/children',
  'GET /organization_units/:id/positions',
  'POST /organization_units/:id/positions',
  ...resource('/positions'),
  'GET /positions/:id/users',
  ...resource('/customers'),
  ...resource('/subcontractors'),
]
