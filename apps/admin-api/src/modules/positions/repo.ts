import { positions, type TenantTx, translateConstraint } from '@signet/db'
import { type Grant, newId, type OrgUnitId, type Page, type PositionId, problem } from '@signet/kernel'
import { and, eq, getTableColumns, sql } from 'drizzle-orm'
import { namedUses } from '../../wire/uses.ts'
import { holdsText, listRows, sortText } from '../lists/index.ts'
import { isWithin } from '../org-units/index.ts'
import type { PositionQuery } from './schema.ts'

export type Position = typeof positions.$inferSelect
type Members = Pick<Position, 'title' | 'description' | 'level' | 'orgUnitId'>

const meanings = {
  positions__org_unit: () => problem('org-unit-not-found', 'There is no unit with the id that `org_unit_id` names.'),
}

/** `unitId`: those of this very unit. */
export function listPositions(
  tx: TenantTx,
  cursorKey: Uint8Array,
  query: PositionQuery,
  unitId?: OrgUnitId,
): Promise<Page<Position>> {
  const { q, title, level, org_unit_id } = query
  return listRows<Position>(
    tx,
    cursorKey,
    {
      name: unitId === undefined ? 'positions' : `positions of ${unitId}`,
      from: positions,
      columns: getTableColumns(positions),
      id: { by: positions.id, type: 'uuid' },
      sorts: {
        title: sortText(positions.title),
        created_at: { by: positions.createdAt, type: 'timestamptz' },
        // One without a level comes after all that have one.
        level: { by: sql`coalesce(${positions.level}, 2147483647)`, type: 'integer' },
      },
      filters: [
        eq(positions.tenantId, tx.tenantId),
        holdsText(q, positions.title, positions.description),
        title === undefined ? undefined : eq(positions.title, title),
        level === undefined ? undefined : eq(positions.level, level),
        unitId === undefined ? undefined : eq(positions.orgUnitId, unitId),
        org_unit_id === undefined ? undefined : isWithin(tx, org_unit_id as OrgUnitId, positions.orgUnitId),
      ],
    },
    query,
  )
}

/** @throws Problem `position-not-found` */
export async function findPosition(tx: TenantTx, id: PositionId): Promise<Position> {
  return only(await tx.db.select().from(positions).where(isPosition(tx, id)))
}

/**
 * As `findPosition`; before this transaction ends nobody else changes it (`to assign`, which others may do at once, and
 * `to change`), nor gives it to anybody (`to delete`).
 * @throws Problem `position-not-found`
 */
export async function lockPosition(
  tx: TenantTx,
  id: PositionId,
  lock: 'to assign' | 'to change' | 'to delete',
): Promise<Position> {
  const strengths = { 'to assign': 'share', 'to change': 'no key update', 'to delete': 'update' } as const
  return only(await tx.db.select().from(positions).where(isPosition(tx, id)).for(strengths[lock]))
}

/** @throws Problem `org-unit-not-found` */
export async function insertPosition(
  { db, tenantId }: TenantTx,
  _grant: Grant<'positions:create', Position | null>,
  members: Members,
): Promise<Position> {
  try {
    return only(
      await db
        .insert(positions)
        .values({ tenantId, id: newId<PositionId>(), ...members })
        .returning(),
    )
  } catch (error) {
    throw translateConstraint(error, meanings)
  }
}

/** @throws Problem `org-unit-not-found` */
export async function updatePosition(
  tx: TenantTx,
  { resource }: Grant<'positions:modify', Position>,
  change: Partial<Members>,
): Promise<Position> {
  try {
    const changed = await tx.db
      .update(positions)
      .set({ ...change, version: resource.version + 1, updatedAt: sql`now()` })
      .where(isPosition(tx, resource.id))
      .returning()
    return only(changed)
  } catch (error) {
    throw translateConstraint(error, meanings)
  }
}

/** Who holds a position, invitations too: how many, and the names of the first. */
export async function findHolders(
  { sql: statement, tenantId }: TenantTx,
  id: PositionId,
): Promise<{ readonly count: number; readonly names: readonly string[] }> {
  const [holders] = await statement<{ count: number; names: string[] }[]>`
    with first as (
      select id, user_id, invited_email, created_at from memberships
      where tenant_id = ${tenantId} and position_id = ${id} order by created_at, id limit ${namedUses})
    select (select count(*)::int from memberships where tenant_id = ${tenantId} and position_id = ${id}) as count,
      array(
        select coalesce(g.name, nullif(concat_ws(' ', g.first_name, g.last_name), ''), g.username, g.email, f.invited_email, f.user_id::text)
        from first f
        left join guest_profiles(array(select user_id from first where user_id is not null)) g on g.id = f.user_id
        order by f.created_at, f.id) as names`
  return holders ?? { count: 0, names: [] }
}

/** One that nobody holds, of a transaction that has locked it. */
export async function deletePosition(tx: TenantTx, { resource }: Grant<'positions:delete', Position>): Promise<void> {
  await tx.db.delete(positions).where(isPosition(tx, resource.id))
}

function isPosition({ tenantId }: TenantTx, id: PositionId) {
  return and(eq(positions.tenantId, tenantId), eq(positions.id, id))
}

function only([position]: readonly Position[]): Position {
  if (position === undefined) throw problem('position-not-found')
  return position
}
