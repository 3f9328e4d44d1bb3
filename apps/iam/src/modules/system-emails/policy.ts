import type { TenantRef } from '@signet/accounts'
import type { ServiceKeyHolder } from '@signet/http'
import type { Policy } from '@signet/kernel'
import type { RequestFacts } from '../../deps.ts'

/** A service that has shown its key. */
export interface CallingService extends ServiceKeyHolder {
  readonly request: RequestFacts
}

/** Whoever has shown a service key may send; the mail belongs to no company, so it stands with the platform. */
export const systemEmailPolicy: Policy<'system-emails:create', TenantRef, CallingService> = {
  see: 'system-emails:create',
  hidden: 'invalid-service-key',
  rules: { 'system-emails:create': () => true },
}
