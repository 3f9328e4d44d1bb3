import type { TenantTx } from '@signet/db'
import type { SessionId, UserId } from '@signet/kernel'

/**
 * Ends the sessions of a person in every tenant, but for `except`. Works in the person's home tenant alone.
 * @returns how many it ended
 */
export async function endUserSessions(
  tx: TenantTx,
  userId: UserId,
  { except = null, reason }: { readonly except?: SessionId | null; readonly reason: string },
): Promise<number> {
  const [row] = await tx.sql<{ ended: number }[]>`select end_user_sessions(${userId}, ${except}, ${reason}) as ended`
  return row?.ended ?? 0
}
