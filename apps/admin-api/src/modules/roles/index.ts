export { findRole, lockRole } from './repo.ts'
export { serveRoles } from './routes.ts'
export { applyRoleChange } from './service.ts'
