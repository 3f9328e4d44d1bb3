import {
  brands,
  type Database,
  memberships,
  runStatement,
  tenants,
  type TenantTx,
  translateConstraint,
} from '@signet/db'
import { type BrandId, type Grant, newId, type Page, problem, type UserId } from '@signet/kernel'
import { and, eq, getTableColumns, sql } from 'drizzle-orm'
import { holdsText, listRows, sortText } from '../lists/index.ts'
import type { Holder } from '../memberships/index.ts'
import type { BrandQuery, BrandView } from './schema.ts'

export type Brand = typeof brands.$inferSelect
type BrandMembers = Pick<Brand, 'name' | 'logoUrl' | 'primaryColor'>

/** An advisor, or whoever was one, as the member who may carry a brand. */
export interface Carrier extends Holder {
  readonly userId: UserId
  readonly brandId: BrandId | null
}

const inUse = () => problem('brand-in-use', 'Somebody has begun to carry it meanwhile.')
const meanings = { brands__tenant_id_name: () => problem('brand-name-taken') }
const meaningsOfDeletion = { tenants__brand: inUse, memberships__brand: inUse }
const meaningsOfCarrying = { memberships__brand: () => problem('brand-not-found') }

/** In any tenant, for whoever speaks for the installation. Undefined where there is none, or its tenant is not active. */
export async function findBrandAnywhere(database: Database, id: BrandId) {
  const [brand] = await runStatement(
    database,
    statement =>
      statement<Pick<BrandView, 'id' | 'name' | 'logo_url' | 'primary_color'>[]>`select * from find_brand(${id})`,
  )
  return brand
}

export function listBrands(tx: TenantTx, cursorKey: Uint8Array, query: BrandQuery): Promise<Page<Brand>> {
  const { q, name } = query
  return listRows<Brand>(
    tx,
    cursorKey,
    {
      name: 'brands',
      from: brands,
      columns: getTableColumns(brands),
      id: { by: brands.id, type: 'uuid' },
      sorts: { created_at: { by: brands.createdAt, type: 'timestamptz' }, name: sortText(brands.name) },
      filters: [
        eq(brands.tenantId, tx.tenantId),
        holdsText(q, brands.name),
        name === undefined ? undefined : eq(brands.name, name),
      ],
    },
    query,
  )
}

/** @throws Problem `brand-not-found` */
export async function findBrand(tx: TenantTx, id: BrandId): Promise<Brand> {
  return only(await tx.db.select().from(brands).where(isBrand(tx, id)))
}

/** As `findBrand`, and nobody else changes it before this transaction ends. @throws Problem `brand-not-found` */
export async function lockBrand(tx: TenantTx, id: BrandId): Promise<Brand> {
  return only(await tx.db.select().from(brands).where(isBrand(tx, id)).for('update'))
}

/** @throws Problem `brand-name-taken` */
export async function insertBrand(
  tx: TenantTx,
  _grant: Grant<'brands:create', Brand | null>,
  members: BrandMembers,
): Promise<Brand> {
  try {
    const row = { tenantId: tx.tenantId, id: newId<BrandId>(), ...members }
    return only(await tx.db.insert(brands).values(row).returning())
  } catch (error) {
    throw translateConstraint(error, meanings)
  }
}

/** @throws Problem `brand-name-taken` */
export async function updateBrand(
  tx: TenantTx,
  { resource }: Grant<'brands:modify', Brand>,
  change: Partial<BrandMembers>,
): Promise<Brand> {
  try {
    const changed = { ...change, version: resource.version + 1, updatedAt: sql`now()` }
    return only(await tx.db.update(brands).set(changed).where(isBrand(tx, resource.id)).returning())
  } catch (error) {
    throw translateConstraint(error, meanings)
  }
}

/** @throws Problem `brand-in-use` */
export async function deleteBrand(tx: TenantTx, { resource }: Grant<'brands:delete', Brand>): Promise<void> {
  try {
    await tx.db.delete(brands).where(isBrand(tx, resource.id))
  } catch (error) {
    throw translateConstraint(error, meaningsOfDeletion)
  }
}

/** Who carries the brand: the tenant itself, how many members, and the first few of them. */
export async function findCarriers(
  { db, tenantId }: TenantTx,
  id: BrandId,
): Promise<{ readonly isOfTenant: boolean; readonly members: number; readonly first: readonly UserId[] }> {
  const [tenant] = await db.select({ brandId: tenants.brandId }).from(tenants).where(eq(tenants.id, tenantId))
  const carriers = await db
    .select({ userId: memberships.userId, members: sql<number>`count(*) over ()::int` })
    .from(memberships)
    .where(and(eq(memberships.tenantId, tenantId), eq(memberships.brandId, id)))
    .orderBy(memberships.id)
    .limit(5)
  return {
    isOfTenant: tenant?.brandId === id,
    members: carriers[0]?.members ?? 0,
    first: carriers.flatMap(({ userId }) => userId ?? []),
  }
}

/** Null takes the brand away. @throws Problem `brand-not-found` for one that has just been deleted */
export async function updateCarrier(
  tx: TenantTx,
  { resource }: Grant<'brands:modify', Carrier>,
  brandId: BrandId | null,
): Promise<void> {
  try {
    await tx.db
      .update(memberships)
      .set({ brandId, version: sql`${memberships.version} + 1`, updatedAt: sql`now()` })
      .where(and(eq(memberships.tenantId, tx.tenantId), eq(memberships.userId, resource.userId)))
  } catch (error) {
    throw translateConstraint(error, meaningsOfCarrying)
  }
}

function isBrand({ tenantId }: TenantTx, id: BrandId) {
  return and(eq(brands.tenantId, tenantId), eq(brands.id, id))
}

function only([brand]: readonly Brand[]): Brand {
  if (brand === undefined) throw problem('brand-not-found')
  return brand
}
