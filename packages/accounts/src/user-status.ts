/**
 * Whoever is suspended or deleted has no session left when the transaction commits, in any tenant. The sub-clients of a
 * client that is suspended go and come back with it: the database sees to that, whichever path suspends the client.
 */
import type { TenantTx } from '@signet/db'
import { problem } from '@signet/kernel'
import { recordAudit } from './audit-repo.ts'
import { removePassword } from './password-repo.ts'
import { endUserSessions } from './sessions-repo.ts'
import type { DeleteGrant, ModifyGrant, User } from './user.ts'
import { deleteHomeMembership, endGuestMemberships, listSubClients, updateUser } from './users-repo.ts'
import { removeWaysIn, reopenWaysIn } from './ways-in-repo.ts'

/**
 * A sub-client that was suspended with its client does not come back with it any more.
 * @throws Problem `user-state-conflict` unless active, `last-administrator`, `concurrent-change`
 */
export async function suspendUser(tx: TenantTx, grant: ModifyGrant): Promise<User> {
  const person = grant.resource
  if (!person.isSuspendedWithClient) assertStatus(person, 'active')
  const user = await updateUser(tx, grant, { status: 'suspended', isSuspendedWithClient: false })
  const ended = await endUserSessions(tx, user.id, { reason: 'user-suspended' })
  await recordStatus(tx, grant, 'user.suspended', user, { sessions_ended: ended, ...(await countFollowers(tx, user)) })
  return user
}

/**
 * A suspended person may sign in again. Whoever is active already stays so: what strangers have locked by failing is open
 * again for both.
 * @throws Problem `client-not-active` for a sub-client of a suspended client, `concurrent-change`
 */
export async function activateUser(tx: TenantTx, grant: ModifyGrant): Promise<User> {
  const person = grant.resource
  const followers = await countFollowers(tx, person)
  const user = person.status === 'active' ? person : await updateUser(tx, grant, { status: 'active' })
  await reopenWaysIn(tx, user.id)
  await recordStatus(tx, grant, 'user.activated', user, followers)
  return user
}

/**
 * The row stays for what refers to it; everything that says who it was goes, and its addresses are free again. Nothing that
 * anybody holds by being this person is left, in any tenant.
 * @throws Problem `client-in-use` naming the sub-clients of a client, `last-administrator`, `concurrent-change`
 */
export async function deleteUser(tx: TenantTx, grant: DeleteGrant): Promise<void> {
  await assertNoSubClients(tx, grant.resource)
  const { id } = grant.resource
  // In this order, which is that of whoever puts a guest out: neither waits for a session that the other holds.
  const left = await endGuestMemberships(tx, grant, 'user-deleted')
  const ended = await endUserSessions(tx, id, { reason: 'user-deleted' })
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
  await removePassword(tx, { userId: id, tenantId: user.tenantId })
  await removeWaysIn(tx, id)
  await deleteHomeMembership(tx, grant)
  await recordStatus(tx, grant, 'user.deleted', user, { sessions_ended: ended, guest_memberships_ended: left })
}

function assertStatus(user: User, status: User['status']): void {
  if (user.status !== status) throw problem('user-state-conflict', `The person is ${user.status}, not ${status}.`)
}

/** How many of them a message names. */
const namedAtMost = 5

async function assertNoSubClients(tx: TenantTx, client: User): Promise<void> {
  if (client.kind !== 'client') return
  const found = await listSubClients(tx, client.id)
  if (found.length === 0) return
  const names = found.slice(0, namedAtMost).map(({ id, name, email, username }) => name ?? email ?? username ?? id)
  const more = found.length > namedAtMost ? ` and ${found.length - namedAtMost} more` : ''
  throw problem('client-in-use', `It has ${found.length} sub-clients: ${names.join(', ')}${more}.`)
}

/** For the audit: the sub-clients that are suspended with this client, while they are. */
async function countFollowers(tx: TenantTx, { kind, id }: User): Promise<{ sub_clients?: number }> {
  if (kind !== 'client') return {}
  const found = await listSubClients(tx, id)
  return { sub_clients: found.filter(each => each.isSuspendedWithClient).length }
}

async function recordStatus(
  tx: TenantTx,
  grant: ModifyGrant | DeleteGrant,
  action: string,
  after: User,
  consequences: Readonly<Record<string, number>>,
): Promise<void> {
  await recordAudit(tx, {
    action,
    actor: grant.actor,
    targetType: 'user',
    targetId: after.id,
    before: { status: grant.resource.status },
    after: { status: after.status, ...consequences },
    request: grant.actor.request,
  })
}
