import { permissions, services, type TenantTx, translateConstraint } from '@signet/db'
import { type Grant, isId, newId, type Page, problem, type ServiceId } from '@signet/kernel'
import { eq, getTableColumns, sql } from 'drizzle-orm'
import type { PersonOrService } from '../../wire/caller.ts'
import { holdsText, listRows } from '../lists/index.ts'
import type { ServiceQuery } from './schema.ts'

export type Service = typeof services.$inferSelect
export type ServiceFields = Pick<Service, 'description' | 'baseUrl' | 'healthUrl' | 'routes'>

type Writing<A extends string> = Grant<A, Service | null, PersonOrService>

const meanings = {
  services__name: () => problem('service-name-taken'),
  permissions__code: () => problem('concurrent-change'),
  role_permissions__permission: () => problem('concurrent-change'),
  policy_statements__permission: () => problem('concurrent-change'),
}

export function listServices(tx: TenantTx, cursorKey: Uint8Array, query: ServiceQuery): Promise<Page<Service>> {
  const { q } = query
  return listRows<Service>(
    tx,
    cursorKey,
    {
      name: 'services',
      from: services,
      columns: getTableColumns(services),
      id: { by: services.id, type: 'uuid' },
      sorts: {
        name: { by: services.name, type: 'text' },
        created_at: { by: services.createdAt, type: 'timestamptz' },
      },
      filters: [holdsText(q, services.name, services.description)],
    },
    query,
  )
}

/** Every service, in the order of the names. */
export function findAllServices({ db }: TenantTx): Promise<Service[]> {
  return db.select().from(services).orderBy(services.name)
}

/** By id or by name. @throws Problem `service-not-found` */
export async function findService({ db }: TenantTx, idOrName: string): Promise<Service> {
  const [service] = await db.select().from(services).where(isService(idOrName))
  if (service === undefined) throw problem('service-not-found')
  return service
}

/** As `findService`, locked until the transaction ends; undefined where there is none. */
export async function lockService({ db }: TenantTx, idOrName: string): Promise<Service | undefined> {
  const [service] = await db.select().from(services).where(isService(idOrName)).for('update')
  return service
}

/** Whoever registers waits for whoever registers: two services at once cannot both take a path, or a permission. */
export async function lockRegistry({ sql: statement }: TenantTx): Promise<void> {
  await statement`select pg_advisory_xact_lock(hashtextextended('signet:services', 0))`
}

/** @throws Problem `service-name-taken` */
export async function insertService(
  { db }: TenantTx,
  _grant: Writing<'services:create'>,
  fields: ServiceFields & { readonly name: string },
): Promise<Service> {
  try {
    const [service] = await db
      .insert(services)
      .values({ id: newId<ServiceId>(), ...fields })
      .returning()
    return service as Service
  } catch (error) {
    throw translateConstraint(error, meanings)
  }
}

export async function updateService(
  { db }: TenantTx,
  grant: Grant<'services:modify', Service, PersonOrService>,
  fields: ServiceFields,
): Promise<Service> {
  const { id, version } = grant.resource
  const [service] = await db
    .update(services)
    .set({ ...fields, version: version + 1, updatedAt: sql`now()` })
    .where(eq(services.id, id))
    .returning()
  return service as Service
}

/** Its keys go with it. */
export async function deleteService(
  { db }: TenantTx,
  grant: Grant<'services:delete', Service, PersonOrService>,
): Promise<void> {
  await db.delete(services).where(eq(services.id, grant.resource.id))
}

/** The codes that the catalogue has for a service. */
export async function findPermissionsOf({ db }: TenantTx, service: string): Promise<string[]> {
  const found = await db.select({ code: permissions.code }).from(permissions).where(eq(permissions.service, service))
  return found.map(({ code }) => code)
}

/** Those of the codes that the catalogue has, and whose they are. */
export async function findOwnersOf(
  { sql: statement }: TenantTx,
  codes: readonly string[],
): Promise<{ readonly code: string; readonly service: string }[]> {
  return statement<{ code: string; service: string }[]>`
    select code, service from permissions where code = any(${[...codes]}) order by code`
}

/** Those of the codes that some role holds or some policy names, in whichever tenant. */
export async function findUsedPermissions({ sql: statement }: TenantTx, codes: readonly string[]): Promise<string[]> {
  if (codes.length === 0) return []
  const used = await statement<{ code: string }[]>`select code from used_permissions(${[...codes]}) order by code`
  return used.map(({ code }) => code)
}

export async function insertPermissions(
  { db }: TenantTx,
  _grant: Writing<'services:create' | 'services:modify'>,
  rows: readonly { readonly code: string; readonly service: string; readonly description: string }[],
): Promise<void> {
  if (rows.length === 0) return
  try {
    await db.insert(permissions).values([...rows])
  } catch (error) {
    throw translateConstraint(error, meanings)
  }
}

/** @throws Problem `concurrent-change` when a role or a policy has got one of them meanwhile */
export async function deletePermissions(
  { sql: statement }: TenantTx,
  _grant: Writing<'services:create' | 'services:modify' | 'services:delete'>,
  codes: readonly string[],
): Promise<void> {
  if (codes.length === 0) return
  try {
    await statement`delete from permissions where code = any(${[...codes]})`
  } catch (error) {
    throw translateConstraint(error, meanings)
  }
}

function isService(idOrName: string) {
  return isId(idOrName) ? eq(services.id, idOrName as ServiceId) : eq(services.name, idOrName)
}
