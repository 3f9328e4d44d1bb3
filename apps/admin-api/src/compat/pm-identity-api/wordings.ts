import type { Wordings } from '@signet/http'

/** Word for word what callers of pm-identity-api look for. */
export const wordings: Wordings = {
  'invalid-input': 'Validation error',
  'already-bootstrapped': [403, 'Identity already initialized'],
  'user-not-found': 'User not found',
  'tenant-not-found': 'Company not found',
  'org-unit-not-found': 'Organization unit not found',
  'position-not-found': 'Position not found',
  'customer-not-found': 'Customer not found',
  'subcontractor-not-found': 'Subcontractor not found',
  'role-not-found': 'Role not found',
  'storage-off': 'Storage Service disabled',
}
