/** The tree itself is kept by the database: it refuses cycles, and more than 64 levels, whichever way a unit moves. */
import { orgUnits, type TenantTx, translateConstraint } from '@signet/db'
import { type Grant, newId, type OrgUnitId, type Page, problem } from '@signet/kernel'
import { and, eq, getTableColumns, isNotNull, isNull, type SQL, sql } from 'drizzle-orm'
import type { AnyPgColumn } from 'drizzle-orm/pg-core'
import { namedUses } from '../../wire/uses.ts'
import { holdsText, listRows, sortText } from '../lists/index.ts'
import type { OrgUnitQuery } from './schema.ts'

type OrgUnitRow = typeof orgUnits.$inferSelect

/** A unit with those above it. */
export type OrgUnit = OrgUnitRow & {
  /** From the top down to the unit itself. */
  readonly path: readonly { readonly id: OrgUnitId; readonly name: string }[]
  /** How many are above it. */
  readonly level: number
}

/** A unit as the tree shows it. */
export interface TreeNode {
  readonly id: OrgUnitId
  readonly parentId: OrgUnitId | null
  readonly name: string
  readonly level: number
}

const meanings = {
  org_units__tenant_id_parent_id_name: () => problem('org-unit-name-taken'),
  org_units__parent: () => problem('org-unit-not-found', 'There is no unit with the id that `parent_id` names.'),
  org_units__cycle: () => problem('org-unit-cycle'),
  org_units__depth: () => problem('org-unit-too-deep'),
}

export async function listOrgUnits(tx: TenantTx, cursorKey: Uint8Array, query: OrgUnitQuery): Promise<Page<OrgUnit>> {
  const { q, name, parent_id, is_top } = query
  const page = await listRows<OrgUnitRow>(
    tx,
    cursorKey,
    {
      name: 'org-units',
      from: orgUnits,
      columns: getTableColumns(orgUnits),
      id: { by: orgUnits.id, type: 'uuid' },
      sorts: { name: sortText(orgUnits.name), created_at: { by: orgUnits.createdAt, type: 'timestamptz' } },
      filters: [
        eq(orgUnits.tenantId, tx.tenantId),
        holdsText(q, orgUnits.name, orgUnits.description),
        name === undefined ? undefined : eq(orgUnits.name, name),
        parent_id === undefined ? undefined : eq(orgUnits.parentId, parent_id as OrgUnitId),
        is_top === undefined ? undefined : is_top ? isNull(orgUnits.parentId) : isNotNull(orgUnits.parentId),
      ],
    },
    query,
  )
  return { ...page, items: await withPaths(tx, page.items) }
}

/** @throws Problem `org-unit-not-found` */
export async function findOrgUnit(tx: TenantTx, id: OrgUnitId): Promise<OrgUnit> {
  return only(tx, await tx.db.select().from(orgUnits).where(isUnit(tx, id)))
}

/**
 * As `findOrgUnit`, and nobody else changes it before this transaction ends. Others may put units and positions below it
 * meanwhile; who is about to delete it keeps them from that.
 * @throws Problem `org-unit-not-found`
 */
export async function lockOrgUnit(tx: TenantTx, id: OrgUnitId, lock: 'to change' | 'to delete'): Promise<OrgUnit> {
  // Two who move units below each other's would wait for one another forever if this kept children away as well.
  const strength = lock === 'to change' ? 'no key update' : 'update'
  return only(tx, await tx.db.select().from(orgUnits).where(isUnit(tx, id)).for(strength))
}

/** @throws Problem `org-unit-name-taken`, `org-unit-not-found` for the parent, `org-unit-too-deep` */
export async function insertOrgUnit(
  tx: TenantTx,
  _grant: Grant<'org-units:create', OrgUnit | null>,
  newUnit: Pick<OrgUnitRow, 'name' | 'description' | 'parentId'>,
): Promise<OrgUnit> {
  try {
    const row = { tenantId: tx.tenantId, id: newId<OrgUnitId>(), ...newUnit }
    return await only(tx, await tx.db.insert(orgUnits).values(row).returning())
  } catch (error) {
    throw translateConstraint(error, meanings)
  }
}

/** @throws Problem `org-unit-name-taken`, `org-unit-not-found` for the parent, `org-unit-cycle`, `org-unit-too-deep` */
export async function updateOrgUnit(
  tx: TenantTx,
  grant: Grant<'org-units:modify', OrgUnit>,
  change: Partial<Pick<OrgUnitRow, 'name' | 'description' | 'parentId'>>,
): Promise<OrgUnit> {
  const { id, version } = grant.resource
  try {
    const changed = await tx.db
      .update(orgUnits)
      .set({ ...change, version: version + 1, updatedAt: sql`now()` })
      .where(isUnit(tx, id))
      .returning()
    return await only(tx, changed)
  } catch (error) {
    throw translateConstraint(error, meanings)
  }
}

/** Units and positions that hang on a unit: how many, and the names of the first. */
export async function findUses(
  { sql: statement, tenantId }: TenantTx,
  id: OrgUnitId,
): Promise<{ readonly units: Counted; readonly positions: Counted }> {
  const [units = none] = await statement<Counted[]>`
    select count(*)::int as count, coalesce((array_agg(name order by lower(name), id))[1:${namedUses}], '{}') as names
    from org_units where tenant_id = ${tenantId} and parent_id = ${id}`
  const [positions = none] = await statement<Counted[]>`
    select count(*)::int as count, coalesce((array_agg(title order by lower(title), id))[1:${namedUses}], '{}') as names
    from positions where tenant_id = ${tenantId} and org_unit_id = ${id}`
  return { units, positions }
}

interface Counted {
  readonly count: number
  readonly names: readonly string[]
}
const none: Counted = { count: 0, names: [] }

/** One that nothing hangs on, of a transaction that has locked it. */
export async function deleteOrgUnit(tx: TenantTx, grant: Grant<'org-units:delete', OrgUnit>): Promise<void> {
  await tx.db.delete(orgUnits).where(isUnit(tx, grant.resource.id))
}

/** The units of the tenant, or a unit and all below it: the uppermost `limit` of them, level by level, each level by name. */
export async function listTree(
  { sql: statement, tenantId }: TenantTx,
  top: OrgUnit | undefined,
  limit: number,
): Promise<readonly TreeNode[]> {
  const isRoot = top === undefined ? statement`parent_id is null` : statement`id = ${top.id}`
  return statement<TreeNode[]>`
    with recursive tree as (
      select id, parent_id, name, ${top?.level ?? 0}::int as level
      from org_units where tenant_id = ${tenantId} and ${isRoot}
      union all
      select o.id, o.parent_id, o.name, t.level + 1
      from tree t join org_units o on o.tenant_id = ${tenantId} and o.parent_id = t.id)
    select id, parent_id as "parentId", name, level from tree order by level, lower(name), id limit ${limit}`
}

/** True where the column names this unit or one below it. */
export function isWithin({ tenantId }: TenantTx, id: OrgUnitId, column: AnyPgColumn | SQL): SQL {
  return sql`${column} in (
    with recursive within as (
      select o.id from org_units o where o.tenant_id = ${tenantId} and o.id = ${id}
      union all
      select o.id from within w join org_units o on o.tenant_id = ${tenantId} and o.parent_id = w.id)
    select id from within)`
}

function isUnit({ tenantId }: TenantTx, id: OrgUnitId) {
  return and(eq(orgUnits.tenantId, tenantId), eq(orgUnits.id, id))
}

async function only(tx: TenantTx, rows: readonly OrgUnitRow[]): Promise<OrgUnit> {
  const [unit] = await withPaths(tx, rows)
  if (unit === undefined) throw problem('org-unit-not-found')
  return unit
}

async function withPaths({ sql: statement, tenantId }: TenantTx, rows: readonly OrgUnitRow[]): Promise<OrgUnit[]> {
  if (rows.length === 0) return []
  const found = await statement<{ id: OrgUnitId; path: OrgUnit['path'] }[]>`
    with recursive above as (
      select id as of, id, parent_id, name, 0 as steps
      from org_units where tenant_id = ${tenantId} and id = any(${rows.map(row => row.id)}::uuid[])
      union all
      select a.of, o.id, o.parent_id, o.name, a.steps + 1
      from above a join org_units o on o.tenant_id = ${tenantId} and o.id = a.parent_id)
    select of as id, jsonb_agg(jsonb_build_object('id', id, 'name', name) order by steps desc) as path
    from above group by of`
  const paths = new Map(found.map(({ id, path }) => [id, path]))
  return rows.map(row => {
    const path = paths.get(row.id) ?? []
    return { ...row, path, level: path.length - 1 }
  })
}
