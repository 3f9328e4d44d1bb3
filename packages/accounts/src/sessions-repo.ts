import { type TenantTx, users } from '@signet/db'
import type { SessionId, UserId } from '@signet/kernel'
import { and, eq } from 'drizzle-orm'

/**
 * Ends the sessions of a person in every tenant, but for `except`. Works in the person's home tenant alone. Their row is
 * locked first: a session that is being opened at this moment is waited for and ended too.
 * @returns how many it ended
 */
export async function endUserSessions(
  tx: TenantTx,
  userId: UserId,
  { except = null, reason }: { readonly except?: SessionId | null; readonly reason: string },
): Promise<number> {
  await tx.db
    .select({ id: users.id })
    .from(users)
    .where(and(eq(users.tenantId, tx.tenantId), eq(users.id, userId)))
    .for('update')
  const [row] = await tx.sql<{ ended: number }[]>`select end_user_sessions(${userId}, ${except}, ${reason}) as ended`
  return row?.ended ?? 0
}
