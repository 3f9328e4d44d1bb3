/** Whoever is suspended or deleted has no session left when the transaction commits, in any tenant. */
import type { TenantTx } from '@signet/db'
import { type Grant, problem } from '@signet/kernel'
import { recordAudit } from './audit-repo.ts'
import { removePassword } from './password-repo.ts'
import { endUserSessions } from './sessions-repo.ts'
import type { User } from './user.ts'
import { deleteHomeMembership, updateUser } from './users-repo.ts'
import { reopenWaysIn } from './ways-in-repo.ts'

/** @throws Problem `user-state-conflict` unless active, `last-administrator`, `concurrent-change` */
export async function suspendUser(tx: TenantTx, grant: Grant<'users:modify', User>): Promise<User> {
  assertStatus(grant.resource, 'active')
  const user = await updateUser(tx, grant, { status: 'suspended' })
  const ended = await endUserSessions(tx, user.id, { reason: 'user-suspended' })
  await recordStatus(tx, grant, 'user.suspended', user, ended)
  return user
}

/**
 * A suspended person may sign in again. Whoever is active already stays so: what strangers have locked by failing is open
 * again for both.
 * @throws Problem `concurrent-change`
 */
export async function activateUser(tx: TenantTx, grant: Grant<'users:modify', User>): Promise<User> {
  const person = grant.resource
  const user = person.status === 'active' ? person : await updateUser(tx, grant, { status: 'active' })
  await reopenWaysIn(tx, user.id)
  await recordStatus(tx, grant, 'user.activated', user)
  return user
}

/**
 * The row stays for what refers to it; everything that says who it was goes, and its addresses are free again.
 * @throws Problem `last-administrator`, `concurrent-change`
 */
export async function deleteUser(tx: TenantTx, grant: Grant<'users:delete', User>): Promise<void> {
  const user = await updateUser(tx, grant, {
    status: 'deleted',
    email: null,
    emailVerifiedAt: null,
    phone: null,
    phoneVerifiedAt: null,
    username: null,
    name: null,
    firstName: null,
    lastName: null,
  })
  await removePassword(tx, { userId: user.id, tenantId: user.tenantId })
  await deleteHomeMembership(tx, grant)
  const ended = await endUserSessions(tx, user.id, { reason: 'user-deleted' })
  await recordStatus(tx, grant, 'user.deleted', user, ended)
}

function assertStatus(user: User, status: User['status']): void {
  if (user.status !== status) throw problem('user-state-conflict', `The person is ${user.status}, not ${status}.`)
}

async function recordStatus(
  tx: TenantTx,
  grant: Grant<'users:modify' | 'users:delete', User>,
  action: string,
  after: User,
  sessionsEnded?: number,
): Promise<void> {
  await recordAudit(tx, {
    action,
    actor: grant.actor,
    targetType: 'user',
    targetId: after.id,
    before: { status: grant.resource.status },
    after: { status: after.status, ...(sessionsEnded === undefined ? {} : { sessions_ended: sessionsEnded }) },
    request: grant.actor.request,
  })
}
