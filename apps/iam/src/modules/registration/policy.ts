import type { Registrant, TenantRef } from '@signet/accounts'
import type { Policy } from '@signet/kernel'

/** A tenant as strangers meet it. */
export interface RegistrationTenant extends TenantRef {
  readonly isOpen: boolean
}

/** Anybody may register where the tenant says so. Elsewhere the answer is that for a tenant that does not exist. */
export const registrationPolicy: Policy<'users:register', RegistrationTenant, Registrant> = {
  see: 'users:register',
  hidden: 'registration-closed',
  rules: { 'users:register': (_registrant, tenant) => tenant.isOpen || 'Registration is closed here.' },
}
