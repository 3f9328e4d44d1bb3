export { servePermissions } from './routes.ts'
export { PermissionCode } from './schema.ts'
