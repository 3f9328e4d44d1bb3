import { allTenants, type TenantSettings, type TenantTx, tenants, translateConstraint } from '@signet/db'
import { type Actor, type Grant, newId, type Page, problem, type TenantId } from '@signet/kernel'
import { eq, sql } from 'drizzle-orm'
import { holdsText, listRows, sortText } from '../lists/index.ts'
import type { TenantQuery } from './schema.ts'

export type Tenant = typeof tenants.$inferSelect

const inUse = () => problem('tenant-in-use', 'It has been used meanwhile. Close it instead.')
const meanings = {
  tenants__slug: () => problem('tenant-slug-taken'),
  users__tenant: inUse,
  memberships__tenant: inUse,
  sessions__tenant: inUse,
  roles__tenant: inUse,
  brands__tenant: inUse,
  policies__tenant: inUse,
  org_units__tenant: inUse,
  positions__tenant: inUse,
  customers__tenant: inUse,
  subcontractors__tenant: inUse,
  tenants__brand: () => problem('brand-not-found'),
}

const { id, slug, name, status, isPlatform, settings, createdAt, updatedAt, version, logoKey, brandId } = allTenants
const columns = { id, slug, name, status, isPlatform, settings, createdAt, updatedAt, version, logoKey, brandId }

/** Over all tenants: only for whoever holds `tenants:list`. */
export function listTenants(
  tx: TenantTx,
  _grant: Grant<'tenants:list', Tenant | null>,
  cursorKey: Uint8Array,
  query: TenantQuery,
): Promise<Page<Tenant>> {
  return listRows<Tenant>(
    tx,
    cursorKey,
    {
      name: 'tenants',
      from: allTenants,
      columns,
      id: { by: id, type: 'uuid' },
      sorts: {
        created_at: { by: createdAt, type: 'timestamptz' },
        name: sortText(name),
        slug: { by: slug, type: 'text' },
      },
      filters: [
        holdsText(query.q, name, slug),
        query.slug === undefined ? undefined : eq(slug, query.slug),
        query.status === undefined ? undefined : eq(status, query.status),
      ],
    },
    query,
  )
}

/** The tenant of the transaction. @throws Problem `tenant-not-found` */
export async function findTenant({ db, tenantId }: TenantTx): Promise<Tenant> {
  const [tenant] = await db.select().from(tenants).where(eq(tenants.id, tenantId))
  if (tenant === undefined) throw problem('tenant-not-found')
  return tenant
}

/** As `findTenant`, and nobody else changes it before this transaction ends. @throws Problem `tenant-not-found` */
export async function lockTenant({ db, tenantId }: TenantTx): Promise<Tenant> {
  const [tenant] = await db.select().from(tenants).where(eq(tenants.id, tenantId)).for('update')
  if (tenant === undefined) throw problem('tenant-not-found')
  return tenant
}

/** The tenant with its built-in roles, from a transaction of another one. @throws Problem `tenant-slug-taken` */
export async function insertTenant(
  tx: TenantTx,
  _grant: Grant<'tenants:create', Tenant | null>,
  newTenant: { readonly slug: string; readonly name: string; readonly settings: TenantSettings },
): Promise<Tenant> {
  const tenantId = newId<TenantId>()
  try {
    await tx.sql`
      select create_tenant(${tenantId}, ${newTenant.slug}, ${newTenant.name}, ${tx.sql.json(newTenant.settings as never)})`
  } catch (error) {
    throw translateConstraint(error, meanings)
  }
  const [tenant] = await tx.db.select(columns).from(allTenants).where(eq(id, tenantId))
  return tenant as Tenant
}

/** @throws Problem `brand-not-found` */
export async function updateTenant(
  { db }: TenantTx,
  grant: Grant<'tenants:modify' | 'tenant-status:modify', Tenant>,
  change: Partial<Pick<Tenant, 'name' | 'settings' | 'status' | 'brandId'>>,
): Promise<Tenant> {
  const { id: tenantId, version: current } = grant.resource
  try {
    const [tenant] = await db
      .update(tenants)
      .set({ ...change, version: current + 1, updatedAt: sql`now()` })
      .where(eq(tenants.id, tenantId))
      .returning()
    return tenant as Tenant
  } catch (error) {
    throw translateConstraint(error, meanings)
  }
}

/** Ends every session in the tenant; gives how many. */
export async function endSessions(
  { sql: statement }: TenantTx,
  { resource }: Grant<'tenant-status:modify', Tenant>,
): Promise<number> {
  const { count } = await statement`
    update sessions set ended_at = now(), end_reason = 'tenant-not-active'
    where tenant_id = ${resource.id} and ended_at is null`
  return count
}

/** What keeps a tenant from being deleted, in words. Those who were deleted count: their history refers to them. */
export async function findUses({ sql: statement, tenantId }: TenantTx): Promise<string[]> {
  const [counts] = await statement<Record<string, number>[]>`
    select
      (select count(*)::int from users where tenant_id = ${tenantId}) as people,
      (select count(*)::int from memberships where tenant_id = ${tenantId}) as memberships,
      (select count(*)::int from sessions where tenant_id = ${tenantId}) as sessions,
      (select count(*)::int from brands where tenant_id = ${tenantId}) as brands,
      (select count(*)::int from policies where tenant_id = ${tenantId}) as policies,
      (select count(*)::int from org_units where tenant_id = ${tenantId}) as units,
      (select count(*)::int from positions where tenant_id = ${tenantId}) as positions,
      (select count(*)::int from customers where tenant_id = ${tenantId}) as customers,
      (select count(*)::int from subcontractors where tenant_id = ${tenantId}) as subcontractors`
  return Object.entries(counts ?? {}).flatMap(([what, count]) => (count === 0 ? [] : [`${what}: ${count}`]))
}

/** With its roles. @throws Problem `tenant-in-use` */
export async function deleteTenant(
  { sql: statement }: TenantTx,
  { resource }: Grant<'tenants:delete', Tenant>,
): Promise<void> {
  try {
    await statement`delete from idempotency_keys where tenant_id = ${resource.id}`
    await statement`delete from roles where tenant_id = ${resource.id}`
    await statement`delete from tenants where id = ${resource.id}`
  } catch (error) {
    throw translateConstraint(error, meanings)
  }
}

/** An event about a tenant in the tenant of another: what the platform did is in its own log and in that of whom it met. */
export async function recordElsewhere(
  tx: TenantTx,
  actor: Actor,
  where: TenantId,
  event: { readonly action: string; readonly tenant: Tenant; readonly after: Readonly<Record<string, unknown>> },
): Promise<void> {
  const { userId, sessionId, request } = actor
  await tx.sql`
    select record_event(${where}, ${event.action}, ${userId}, ${sessionId}, 'tenant', ${event.tenant.id},
      ${tx.sql.json(event.after as never)}, ${request.ip}, ${request.id}, ${request.userAgent ?? null})`
}
