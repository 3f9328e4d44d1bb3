/** What stands beside a password: codes, devices that are known, and failures, which lock a way in for the others. */
import { accountCounters, knownDevices, type TenantTx } from '@signet/db'
import type { UserId } from '@signet/kernel'
import { and, eq, inArray } from 'drizzle-orm'

/** Those that count guesses. How often codes were asked for stays counted: each of them is a message to somebody. */
const countedSecrets = ['password', 'refresh-key', 'code', 'password-reset']

/** Takes failures away. Works in the person's home tenant alone, where their attempts are counted. */
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

/**
 * Nothing is left that a code could be checked against, nor of the devices and the attempts that are counted. The refresh key goes
 * when the person is active no more: the database sees to that.
 */
export async function removeWaysIn({ db, sql, tenantId }: TenantTx, userId: UserId): Promise<void> {
  await sql`delete from otp_challenges where tenant_id = ${tenantId} and user_id = ${userId}`
  await db.delete(knownDevices).where(and(eq(knownDevices.tenantId, tenantId), eq(knownDevices.userId, userId)))
  await db
    .delete(accountCounters)
    .where(and(eq(accountCounters.tenantId, tenantId), eq(accountCounters.subject, userId)))
}
