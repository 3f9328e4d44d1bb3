import { holds, type Policy } from '@signet/kernel'
import type { PersonOrService } from '../../wire/caller.ts'

/** Whoever configures a gateway: a person who may, or a service by its key. */
export const gatewayPolicy: Policy<'gateway-routes:list', null, PersonOrService> = {
  see: 'gateway-routes:list',
  hidden: 'forbidden',
  rules: {
    'gateway-routes:list': who => ('userId' in who ? holds('gateway-routes:list')(who, null) : true),
  },
}
