/** Failures lock a way in for devices that have never signed in. Whoever may decide that takes them away. */
import { accountCounters, knownDevices, type TenantTx } from '@signet/db'
import type { UserId } from '@signet/kernel'
import { and, eq, inArray } from 'drizzle-orm'

/** Those that count guesses. How often codes were asked for stays counted: each of them is a message to somebody. */
const countedSecrets = ['password', 'refresh-key', 'code', 'password-reset']

/** Works in the person's home tenant alone, where their attempts are counted. */
export async function reopenWaysIn({ db, tenantId }: TenantTx, userId: UserId): Promise<void> {
  await db
    .delete(accountCounters)
    .where(
      and(
        eq(accountCounters.tenantId, tenantId),
        eq(accountCounters.subject, userId),
        inArray(accountCounters.kind, countedSecrets),
      ),
    )
  await db
    .update(knownDevices)
    .set({ failures: 0, taken: 0 })
    .where(and(eq(knownDevices.tenantId, tenantId), eq(knownDevices.userId, userId)))
}
