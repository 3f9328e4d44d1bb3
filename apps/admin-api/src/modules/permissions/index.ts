export { servePermissions } from './routes.ts'
export { PermissionCode, permissionPattern } from './schema.ts'
export { listPermissions, type Permission } from './service.ts'
