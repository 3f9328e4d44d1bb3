export { findRole, lockRole } from './repo.ts'
export { serveRoles } from './routes.ts'
