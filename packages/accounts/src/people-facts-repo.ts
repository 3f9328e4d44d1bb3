/** What a list of people shows beside their rows: asked once for all of them. */
import { type TenantTx, users } from '@signet/db'
import type { PositionId, UserId } from '@signet/kernel'
import { and, eq, inArray, ne } from 'drizzle-orm'
import type { User } from './user.ts'

export interface PersonFacts {
  /** What they hold in this tenant. */
  readonly positionId: PositionId | null
  /** Into this tenant. */
  readonly lastSignInAt: Date | null
}

const none: PersonFacts = { positionId: null, lastSignInAt: null }

/** Gives the facts of each; whoever is no member of the tenant has none. */
export async function findPeopleFacts(
  { sql, tenantId }: TenantTx,
  ids: readonly UserId[],
): Promise<(id: UserId) => PersonFacts> {
  const rows = await sql<(PersonFacts & { readonly userId: UserId })[]>`
    select m.user_id as "userId", m.position_id as "positionId",
      greatest(m.last_sign_in_at, (
        select max(s.authenticated_at) from sessions s where s.tenant_id = m.tenant_id and s.user_id = m.user_id
      )) as "lastSignInAt"
    from memberships m where m.tenant_id = ${tenantId} and m.user_id = any(${[...ids]}::uuid[])`
  const byId = new Map(rows.map(row => [row.userId, row]))
  return id => byId.get(id) ?? none
}

/** Those of them who are at home in this tenant and are not deleted, the oldest first. */
export function findUsers({ db, tenantId }: TenantTx, ids: readonly UserId[]): Promise<User[]> {
  return db
    .select()
    .from(users)
    .where(and(eq(users.tenantId, tenantId), inArray(users.id, [...ids]), ne(users.status, 'deleted')))
    .orderBy(users.createdAt, users.id)
}
