export { servePermissions } from './routes.ts'
export { PermissionCode, permissionPattern } from './schema.ts'
