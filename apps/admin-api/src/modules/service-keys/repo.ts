import { serviceKeys, type TenantTx, translateConstraint } from '@signet/db'
import { type Grant, newId, type Page, problem, type ServiceId, type ServiceKeyId } from '@signet/kernel'
import { and, eq } from 'drizzle-orm'
import { listRows } from '../lists/index.ts'
import type { PersonOrService } from '../../wire/caller.ts'
import type { Service } from '../services/index.ts'
import type { ServiceKeyQuery } from './schema.ts'

/** Without its hash, which nothing but the look-up reads. */
export type ServiceKey = Omit<typeof serviceKeys.$inferSelect, 'keyHash'>

type Changing = Grant<'services:modify', Service | null, PersonOrService>

const { id, serviceId, name, createdAt, expiresAt, lastUsedAt } = serviceKeys
const columns = { id, serviceId, name, createdAt, expiresAt, lastUsedAt }

export function listServiceKeys(
  tx: TenantTx,
  cursorKey: Uint8Array,
  service: ServiceId,
  query: ServiceKeyQuery,
): Promise<Page<ServiceKey>> {
  return listRows<ServiceKey>(
    tx,
    cursorKey,
    {
      name: `service-keys ${service}`,
      from: serviceKeys,
      columns,
      id: { by: serviceKeys.id, type: 'uuid' },
      sorts: { created_at: { by: serviceKeys.createdAt, type: 'timestamptz' } },
      filters: [eq(serviceKeys.serviceId, service)],
    },
    query,
  )
}

/** @throws Problem `service-not-found` when the service has gone meanwhile */
export async function insertServiceKey(
  { db }: TenantTx,
  _grant: Changing,
  service: ServiceId,
  key: { readonly name: string; readonly expiresAt: Date | null; readonly hash: Uint8Array },
): Promise<ServiceKey> {
  const { hash: keyHash, ...rest } = key
  try {
    const [made] = await db
      .insert(serviceKeys)
      .values({ id: newId<ServiceKeyId>(), serviceId: service, keyHash, ...rest })
      .returning(columns)
    return made as ServiceKey
  } catch (error) {
    throw translateConstraint(error, { service_keys__service: () => problem('service-not-found') })
  }
}

/** @throws Problem `service-key-not-found` */
export async function deleteServiceKey(
  { db }: TenantTx,
  _grant: Changing,
  service: ServiceId,
  key: ServiceKeyId,
): Promise<ServiceKey> {
  const [gone] = await db
    .delete(serviceKeys)
    .where(and(eq(serviceKeys.serviceId, service), eq(serviceKeys.id, key)))
    .returning(columns)
  if (gone === undefined) throw problem('service-key-not-found')
  return gone
}
