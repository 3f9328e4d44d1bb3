export { assertGrantable } from './policy.ts'
export { findPermissionsOf, findRole, lockRole, lockRoles, type Role } from './repo.ts'
export { serveRoles } from './routes.ts'
