export { membershipRoles, permissions, rolePermissions, roles } from './access.ts'
export { allTenants, memberships, passwordCredentials, type TenantSettings, tenants, users } from './people.ts'
export { auditEvents, idempotencyKeys, refreshTokens, sessions } from './sessions.ts'
