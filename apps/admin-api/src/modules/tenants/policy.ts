import { holds, isPlatformStaff, type Policy } from '@signet/kernel'
import type { Tenant } from './repo.ts'

export type TenantAction =
  | 'tenants:read'
  | 'tenants:list'
  | 'tenants:create'
  | 'tenants:modify'
  | 'tenants:delete'
  | 'tenant-status:modify'

/** The platform keeps the tenants. A company's own administrator reads and changes its own, and sees no other. */
export const tenantPolicy: Policy<TenantAction, Tenant | null> = {
  see: 'tenants:read',
  hidden: 'tenant-not-found',
  rules: {
    'tenants:read': (actor, tenant) =>
      holds(tenant?.id === actor.tenantId ? 'tenants:read' : 'tenants:list')(actor, tenant),
    'tenants:list': holds('tenants:list'),
    'tenants:create': holds('tenants:create'),
    'tenants:modify': (actor, tenant) =>
      tenant?.id === actor.tenantId ? holds('tenants:modify')(actor, tenant) : isPlatformStaff(actor, tenant),
    'tenants:delete': holds('tenants:delete'),
    'tenant-status:modify': isPlatformStaff,
  },
}
