import type { TenantTx } from '@signet/db'
import type { Grant } from '@signet/kernel'
import { recordAudit } from './audit-repo.ts'
import { setPassword } from './password-repo.ts'
import { endUserSessions } from './sessions-repo.ts'
import type { User } from './user.ts'
import { reopenWaysIn } from './ways-in-repo.ts'

/**
 * An administrator gives the person a password that has to be changed first of all. Nothing of what the old one opened is
 * left, and what strangers have locked by failing is open again. Audited as `password.reset`.
 * @param hash of the temporary password
 */
export async function resetPassword(tx: TenantTx, grant: Grant<'users:modify', User>, hash: string): Promise<void> {
  const { id, tenantId } = grant.resource
  await setPassword(tx, { userId: id, tenantId }, hash, { mustChange: true })
  const ended = await endUserSessions(tx, id, { reason: 'password-reset' })
  await reopenWaysIn(tx, id)
  await recordAudit(tx, {
    action: 'password.reset',
    actor: grant.actor,
    targetType: 'user',
    targetId: id,
    after: { sessions_ended: ended },
    request: grant.actor.request,
  })
}
