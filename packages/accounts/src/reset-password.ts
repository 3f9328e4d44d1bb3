import type { TenantTx } from '@signet/db'
import type { Grant, UserId } from '@signet/kernel'
import { recordAudit } from './audit-repo.ts'
import { setPassword } from './password-repo.ts'
import { endUserSessions } from './sessions-repo.ts'
import type { RequestRef, User } from './user.ts'
import { reopenWaysIn } from './ways-in-repo.ts'

/** Somebody who is not signed in, and has shown a code that was sent to the person. */
export interface CodeHolder {
  readonly userId: UserId
  readonly request: RequestRef
}

/** An administrator gives a password that has to be changed first of all; the person themself, one that stays. */
export type ResetGrant = Grant<'users:modify', User> | Grant<'users:recover', User, CodeHolder>

/**
 * Nothing of what the old password opened is left, and what strangers have locked by failing is open again. Audited as
 * `password.reset`.
 * @param hash of the new password
 */
export async function resetPassword(tx: TenantTx, grant: ResetGrant, hash: string): Promise<void> {
  const { id, tenantId } = grant.resource
  await setPassword(tx, { userId: id, tenantId }, hash, { mustChange: grant.action === 'users:modify' })
  const ended = await endUserSessions(tx, id, { reason: 'password-reset' })
  await reopenWaysIn(tx, id)
  await recordAudit(tx, {
    action: 'password.reset',
    actor: 'sessionId' in grant.actor ? grant.actor : null,
    targetType: 'user',
    targetId: id,
    after: { sessions_ended: ended },
    request: grant.actor.request,
  })
}
