import type { TenantTx } from '@signet/db'
import type { UserId } from '@signet/kernel'
import type { Contact } from '../../contact.ts'

/** What was sent to an address opens nothing once it is not the person's any more. */
export async function deleteCodes(tx: TenantTx, userId: UserId, { channel, destination }: Contact): Promise<void> {
  await tx.sql`
    delete from otp_challenges
    where tenant_id = ${tx.tenantId} and user_id = ${userId} and channel = ${channel} and destination = ${destination}`
}
