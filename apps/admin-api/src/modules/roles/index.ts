export { findBuiltInRole, findRole, lockRole } from './repo.ts'
export { presentCreatedRole, serveRoles } from './routes.ts'
export { NewRole, RoleView } from './schema.ts'
export { applyRoleChange, createRole } from './service.ts'
