import { advisorClients, type TenantTx, translateConstraint } from '@signet/db'
import { type Grant, type Page, problem, type UserId } from '@signet/kernel'
import { and, eq } from 'drizzle-orm'
import { listRows } from '../lists/index.ts'
import type { Holder } from '../memberships/index.ts'
import type { AdvisedQuery } from './schema.ts'

/** A client of an advisor. People at home elsewhere have no row in this tenant's users: their names come by another way. */
export interface AdvisedRow {
  readonly userId: UserId
  readonly createdAt: Date
  readonly profile: Profile | undefined
}

interface Profile {
  readonly email: string | null
  readonly username: string | null
  readonly name: string | null
  readonly first_name: string | null
  readonly last_name: string | null
}

/** Both by their ids as people; `held` is what the client holds here. */
export interface Assignment extends Holder {
  readonly advisorId: UserId
  readonly userId: UserId
}

export async function listAdvised(
  tx: TenantTx,
  cursorKey: Uint8Array,
  advisorId: UserId,
  query: AdvisedQuery,
): Promise<Page<AdvisedRow>> {
  const { tenantId, userId, createdAt } = advisorClients
  const page = await listRows<Omit<AdvisedRow, 'profile'>>(
    tx,
    cursorKey,
    {
      name: `clients of ${advisorId}`,
      from: advisorClients,
      columns: { userId, createdAt },
      id: { by: userId, type: 'uuid' },
      sorts: { assigned_at: { by: createdAt, type: 'timestamptz' } },
      filters: [eq(tenantId, tx.tenantId), eq(advisorClients.advisorId, advisorId)],
    },
    query,
  )
  const ids = page.items.map(row => row.userId)
  const found = await tx.sql<(Profile & { id: UserId })[]>`
    select id, email, username, name, first_name, last_name from guest_profiles(${ids}::uuid[])`
  const profiles = new Map(found.map(profile => [profile.id, profile]))
  return { ...page, items: page.items.map(row => ({ ...row, profile: profiles.get(row.userId) })) }
}

/**
 * With `lock` nobody takes the role from them, nor them out of the tenant, before this transaction ends.
 * @throws Problem `advisor-not-found` for whoever is no member or lacks the role
 */
export async function findAdvisor(
  { sql, tenantId }: TenantTx,
  advisorId: UserId,
  { lock = false }: { readonly lock?: boolean } = {},
): Promise<void> {
  const rows = await sql`
    select from memberships m
    join membership_roles mr on mr.tenant_id = m.tenant_id and mr.membership_id = m.id
    join roles r on r.tenant_id = mr.tenant_id and r.id = mr.role_id and r.name = 'advisor'
    where m.tenant_id = ${tenantId} and m.user_id = ${advisorId} and m.status = 'active'
    ${lock ? sql`for share of m` : sql``}`
  if (rows.count === 0) throw problem('advisor-not-found')
}

/** False when the advisor had the client before. @throws Problem `advisor-not-found`, `user-not-found`, `invalid-input` */
export async function insertAssignment(
  { db, tenantId }: TenantTx,
  { resource: { advisorId, userId } }: Grant<'advisors:modify', Assignment>,
): Promise<boolean> {
  try {
    const made = await db
      .insert(advisorClients)
      .values({ tenantId, advisorId, userId })
      .onConflictDoNothing()
      .returning({ userId: advisorClients.userId })
    return made.length > 0
  } catch (error) {
    throw translateConstraint(error, {
      advisor_clients__advisor: () => problem('advisor-not-found'),
      advisor_clients__user: () => problem('user-not-found'),
      advisor_clients__other: () => problem('invalid-input', 'Nobody advises themself.'),
    })
  }
}

/** False when the advisor did not have the client. The database ends the sessions in which they act for them. */
export async function deleteAssignment(
  { db, tenantId }: TenantTx,
  { resource: { advisorId, userId } }: Grant<'advisors:modify', Assignment>,
): Promise<boolean> {
  const { tenantId: tenant, advisorId: advisor, userId: user } = advisorClients
  const gone = await db
    .delete(advisorClients)
    .where(and(eq(tenant, tenantId), eq(advisor, advisorId), eq(user, userId)))
    .returning({ userId: user })
  return gone.length > 0
}
