import type { TenantTx } from '@signet/db'
import type { Grant } from '@signet/kernel'
import { recordAudit } from './audit-repo.ts'
import type { User } from './user.ts'
import { updateUser } from './users-repo.ts'

/** The new address, and when it was shown to be the person's. A number is in E.164. */
export type ProvenContact =
  | { readonly email: string; readonly emailVerifiedAt: Date }
  | { readonly phone: string; readonly phoneVerifiedAt: Date }

/**
 * Gives a person an address that they have shown to be theirs. Audited as `user.contact-changed`, with the one before.
 * @throws Problem `email-taken`, `phone-taken`, `concurrent-change`
 */
export async function changeContact(
  tx: TenantTx,
  grant: Grant<'users:modify', User>,
  contact: ProvenContact,
): Promise<User> {
  const before = grant.resource
  const after = await updateUser(tx, grant, contact)
  const pick = (user: User) =>
    'email' in contact
      ? { email: user.email, email_verified_at: user.emailVerifiedAt }
      : { phone: user.phone, phone_verified_at: user.phoneVerifiedAt }
  await recordAudit(tx, {
    action: 'user.contact-changed',
    actor: grant.actor,
    targetType: 'user',
    targetId: before.id,
    before: pick(before),
    after: pick(after),
    request: grant.actor.request,
  })
  return after
}
