import type { Deps } from '../deps.ts'
import type { GatewayAddresses } from '../modules/gateway/index.ts'

/** What the routes of older systems work with. */
export interface CompatDeps extends Deps {
  readonly addresses: GatewayAddresses
}
