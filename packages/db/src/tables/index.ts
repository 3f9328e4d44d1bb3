export { membershipRoles, permissions, rolePermissions, roles } from './access.ts'
export {
  brands,
  bundleVersions,
  customers,
  orgUnits,
  policies,
  policyAttachments,
  policyStatements,
  positions,
  subcontractors,
} from './organization.ts'
export {
  allTenants,
  memberships,
  passwordCredentials,
  type TenantProfile,
  type TenantSettings,
  tenants,
  users,
} from './people.ts'
export { accountCounters, advisorClients, clientTokens, knownDevices, outboundMessages } from './ways-in.ts'
export { auditEvents, idempotencyKeys, refreshTokens, sessions } from './sessions.ts'
export { type ServiceRoute, serviceKeys, services } from './services.ts'
