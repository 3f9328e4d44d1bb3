export { assertGrantable } from './policy.ts'
export { findPermissionsOf, lockRoles } from './repo.ts'
export { serveRoles } from './routes.ts'
