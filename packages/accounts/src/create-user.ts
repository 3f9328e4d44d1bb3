import type { TenantTx } from '@signet/db'
import type { Grant } from '@signet/kernel'
import { recordAudit } from './audit-repo.ts'
import { setPassword } from './password-repo.ts'
import type { NewUser, RequestRef, TenantRef, User } from './user.ts'
import { insertUser } from './users-repo.ts'

/** Somebody without an account, who makes one. */
export interface Registrant {
  readonly request: RequestRef
}

/** An administrator creates, a stranger registers. */
export type CreationGrant = Grant<'users:create', TenantRef> | Grant<'users:register', TenantRef, Registrant>

/**
 * A person with their password, their membership at home and the role `member`; audited as `user.created` or
 * `user.registered`.
 * @throws Problem `email-taken`, `phone-taken`, `username-taken`
 */
export async function createUser(
  tx: TenantTx,
  grant: CreationGrant,
  { passwordHash, ...newUser }: NewUser & { readonly passwordHash: string | null },
): Promise<User> {
  const user = await insertUser(tx, grant, newUser)
  if (passwordHash !== null)
    await setPassword(tx, { userId: user.id, tenantId: user.tenantId }, passwordHash, { mustChange: false })
  await recordAudit(tx, {
    action: grant.action === 'users:create' ? 'user.created' : 'user.registered',
    actor: 'userId' in grant.actor ? grant.actor : null,
    targetType: 'user',
    targetId: user.id,
    after: describeNewUser(user),
    request: grant.actor.request,
  })
  return user
}

function describeNewUser(user: User): Record<string, unknown> {
  const { kind, email, phone, username, name, firstName, lastName, language } = user
  const members = { kind, email, phone, username, name, first_name: firstName, last_name: lastName, language }
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== null))
}
