/**
 * Routes of older systems, which the walks leave out: they answer failures in forms of their own and ignore members that they do
 * not know. Each system has a test of its own.
 */
export const compatRoutes: readonly string[] = [
  // eng-identity
  'GET /api/v1/advisor/dashboard',
  'GET /api/v1/brands/:brand_id',
  'GET /gateway/routes',
  'PATCH /admin/users/:email',
  // iam-rs256
  'POST /api/v1/roles',
]
