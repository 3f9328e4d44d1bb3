/** Who may change a service may open it: its keys are part of it. */
import { recordAudit } from '@signet/accounts'
import type { TenantTx } from '@signet/db'
import { mintServiceKey } from '@signet/http'
import { type Actor, authorize, type Page, type ServiceKeyId } from '@signet/kernel'
import type { Deps } from '../../deps.ts'
import type { Caller } from '../../wire/caller.ts'
import { actAs } from '../actors/index.ts'
import { findService, servicePolicy } from '../services/index.ts'
import { deleteServiceKey, insertServiceKey, listServiceKeys, type ServiceKey } from './repo.ts'
import type { NewServiceKey, ServiceKeyQuery } from './schema.ts'

export type { ServiceKey }
export type IssuedKey = ServiceKey & { readonly key: string }

/** @throws Problem `service-not-found` */
export function listKeys(deps: Deps, caller: Caller, ref: string, query: ServiceKeyQuery): Promise<Page<ServiceKey>> {
  return actAs(deps, caller, 'services:read', async (tx, actor) => {
    const { resource } = authorize(servicePolicy, 'services:read', actor, await findService(tx, ref))
    return listServiceKeys(tx, deps.keys.cursor, resource.id, query)
  })
}

/** The key is in the answer and nowhere else: what is kept is its hash. @throws Problem `service-not-found` */
export function issueKey(
  deps: Deps,
  caller: Caller,
  ref: string,
  { name, expires_at: expires = null }: NewServiceKey,
): Promise<IssuedKey> {
  return actAs(deps, caller, 'services:modify', async (tx, actor) => {
    const grant = authorize(servicePolicy, 'services:modify', actor, await findService(tx, ref))
    const { key, hash } = mintServiceKey(deps.keys.serviceKey)
    const expiresAt = expires === null ? null : new Date(expires)
    const made = await insertServiceKey(tx, grant, grant.resource.id, { name, expiresAt, hash })
    await audit(tx, actor, 'service-key.created', made, { after: describe(made, grant.resource.name) })
    return { ...made, key }
  })
}

/** Counts no more within five seconds. @throws Problem `service-not-found`, `service-key-not-found` */
export function withdrawKey(deps: Deps, caller: Caller, ref: string, keyId: ServiceKeyId): Promise<void> {
  return actAs(deps, caller, 'services:modify', async (tx, actor) => {
    const grant = authorize(servicePolicy, 'services:modify', actor, await findService(tx, ref))
    const gone = await deleteServiceKey(tx, grant, grant.resource.id, keyId)
    await audit(tx, actor, 'service-key.deleted', gone, { before: describe(gone, grant.resource.name) })
  })
}

function describe({ name, serviceId, expiresAt }: ServiceKey, service: string): Record<string, unknown> {
  return { name, service_id: serviceId, service, expires_at: expiresAt }
}

function audit(
  tx: TenantTx,
  actor: Actor,
  action: string,
  { id }: ServiceKey,
  change: { before?: Record<string, unknown>; after?: Record<string, unknown> },
): Promise<void> {
  return recordAudit(tx, { action, actor, targetType: 'service-key', targetId: id, ...change, request: actor.request })
}
