/**
 * A person of any kind is made here, by both apps, within what their maker can hand on: nobody makes somebody who holds more
 * (THREATS X-02). A sub-client is bounded by its client besides, at every moment, by the database.
 */
import type { TenantTx } from '@signet/db'
import type { Grant, RoleId } from '@signet/kernel'
import { recordAudit } from './audit-repo.ts'
import { assertGrantable, giveRoles } from './give-roles.ts'
import { setPassword } from './password-repo.ts'
import { findHolder, findReach } from './roles-repo.ts'
import type { NewUser, RequestRef, TenantRef, User } from './user.ts'
import { insertUser } from './users-repo.ts'

/** Somebody without an account, who makes one. */
export interface Registrant {
  readonly request: RequestRef
}

/** An administrator creates, a client its sub-clients, a stranger registers. */
type CreationGrant =
  | Grant<'users:create' | 'clients:create' | 'sub-clients:create', TenantRef>
  | Grant<'users:register', TenantRef, Registrant>

export interface NewPerson extends NewUser {
  readonly passwordHash: string | null
  /** The password is temporary: it has to be changed before anything else. */
  readonly mustChangePassword?: boolean
  /** Beside `member`, which everybody has. Whether the maker may give any, the app decides. */
  readonly roleIds?: readonly RoleId[]
}

/**
 * A person with their password, their membership at home and their roles; audited as `user.created` or `user.registered`.
 * @throws Problem `email-taken`, `phone-taken`, `username-taken`, `client-not-active`, `role-not-found`, `grant-exceeds-own`
 */
export async function createUser(
  tx: TenantTx,
  grant: CreationGrant,
  { passwordHash, mustChangePassword = false, roleIds = [], ...newUser }: NewPerson,
): Promise<User> {
  const user = await insertUser(tx, grant, newUser)
  if (passwordHash !== null) {
    const person = { userId: user.id, tenantId: user.tenantId }
    await setPassword(tx, person, passwordHash, { mustChange: mustChangePassword })
  }
  await recordAudit(tx, {
    action: isRegistration(grant) ? 'user.registered' : 'user.created',
    actor: isRegistration(grant) ? null : grant.actor,
    targetType: 'user',
    targetId: user.id,
    after: describeNewUser(user),
    request: grant.actor.request,
  })
  if (!isRegistration(grant)) await keepWithin(tx, grant, user, roleIds)
  return user
}

/** What everybody here has by `member` or by a policy counts as well: whoever makes a person may sign in as them. */
async function keepWithin(
  tx: TenantTx,
  grant: Exclude<CreationGrant, { action: 'users:register' }>,
  user: User,
  roleIds: readonly RoleId[],
): Promise<void> {
  if (roleIds.length > 0) await giveRoles(tx, grant, await findHolder(tx, user.id), roleIds)
  // What a sub-client has of its client is the client's own.
  if (user.parentId !== grant.actor.userId) assertGrantable(grant.actor, await findReach(tx, user.id))
}

function isRegistration(grant: CreationGrant): grant is Grant<'users:register', TenantRef, Registrant> {
  return grant.action === 'users:register'
}

function describeNewUser(user: User): Record<string, unknown> {
  const { kind, parentId, email, phone, username, name, firstName, lastName, language } = user
  const names = { name, first_name: firstName, last_name: lastName, language }
  const members = { kind, client_id: parentId, email, phone, username, ...names }
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== null))
}
