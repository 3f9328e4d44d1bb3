import type { TenantTx } from '@signet/db'
import { recordAudit } from './audit-repo.ts'
import type { ModifyGrant, User, UserChange } from './user.ts'
import { updateUser } from './users-repo.ts'

const wireNames = {
  email: 'email',
  phone: 'phone',
  username: 'username',
  name: 'name',
  firstName: 'first_name',
  lastName: 'last_name',
  language: 'language',
} as const satisfies Record<keyof UserChange, string>

/**
 * Changes what a person is called and how they are reached. An address that changes is no longer verified. Audited as
 * `user.modified`; a change that changes nothing writes nothing.
 * @throws Problem `email-taken`, `phone-taken`, `username-taken`, `concurrent-change`
 */
export async function changeUser(tx: TenantTx, grant: ModifyGrant, change: UserChange): Promise<User> {
  const user = grant.resource
  const wanted = { ...change, ...(typeof change.email === 'string' ? { email: change.email.toLowerCase() } : {}) }
  const changed = (Object.keys(wireNames) as (keyof UserChange)[]).filter(
    name => wanted[name] !== undefined && wanted[name] !== user[name],
  )
  if (changed.length === 0) return user
  const after = await updateUser(tx, grant, {
    ...Object.fromEntries(changed.map(name => [name, wanted[name]])),
    ...(changed.includes('email') ? { emailVerifiedAt: null } : {}),
    ...(changed.includes('phone') ? { phoneVerifiedAt: null } : {}),
  })
  await recordAudit(tx, {
    action: 'user.modified',
    actor: grant.actor,
    targetType: 'user',
    targetId: user.id,
    before: pick(user, changed),
    after: pick(after, changed),
    request: grant.actor.request,
  })
  return after
}

function pick(user: User, names: readonly (keyof UserChange)[]): Record<string, unknown> {
  return Object.fromEntries(names.map(name => [wireNames[name], user[name]]))
}
