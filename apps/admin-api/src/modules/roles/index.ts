export { assertGrantable } from './policy.ts'
export { findPermissionsOf, lockRoles, type Role } from './repo.ts'
export { serveRoles } from './routes.ts'
