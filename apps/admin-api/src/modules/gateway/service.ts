/** The map of everything that stands behind one origin: Signet's own programs and the registered services. */
import type { ServiceRoute } from '@signet/db'
import { authorize } from '@signet/kernel'
import type { Deps } from '../../deps.ts'
import type { Caller, ServiceCaller } from '../../wire/caller.ts'
import { actAsEither } from '../actors/index.ts'
import {
  byLongestPrefix,
  type Claim,
  claimsOf,
  findAllServices,
  issuerRoutes,
  placesRoutes,
} from '../services/index.ts'
import { gatewayPolicy } from './policy.ts'
import type { GatewayMap } from './schema.ts'

/** Where a gateway reaches Signet's own programs. */
export interface GatewayAddresses {
  readonly iam: string
  readonly admin: string
  readonly places: string
}

export interface GatewayDeps extends Deps {
  readonly addresses: GatewayAddresses
  /** What the administration itself answers. */
  readonly ownRoutes: () => readonly ServiceRoute[]
}

export function readGatewayMap(deps: GatewayDeps, caller: Caller | ServiceCaller): Promise<GatewayMap> {
  return actAsEither(deps, caller, 'gateway-routes:list', async (tx, who) => {
    authorize(gatewayPolicy, 'gateway-routes:list', who, null)
    const { addresses } = deps
    const services = [
      { name: 'iam', baseUrl: addresses.iam, routes: issuerRoutes(deps.compat) },
      { name: 'admin-api', baseUrl: addresses.admin, routes: deps.ownRoutes() },
      // A registration of its own takes the place of this one.
      { name: 'places', baseUrl: addresses.places, routes: placesRoutes(deps.compat) },
    ]
    const byName = new Map(services.map(service => [service.name, service]))
    for (const service of await findAllServices(tx)) byName.set(service.name, service)
    const claims = [...byName.values()].flatMap(({ name, baseUrl, routes }) =>
      claimsOf(name, routes).map(claim => ({ ...claim, baseUrl })),
    )
    return { items: claims.toSorted(byLongestPrefix).map(present) }
  })
}

function present(claim: Claim & { readonly baseUrl: string }): GatewayMap['items'][number] {
  const { prefix, isExact, methods, service, baseUrl, access } = claim
  return {
    prefix,
    is_exact: isExact,
    methods: [...methods],
    service,
    base_url: baseUrl,
    access: access === 'public' ? access : { permissions: [...access.permissions] },
  }
}
