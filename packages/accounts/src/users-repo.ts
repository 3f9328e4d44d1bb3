import { memberships, membershipRoles, roles, type TenantTx, translateConstraint, users } from '@signet/db'
import { type Grant, type MembershipId, newId, problem, type UserId } from '@signet/kernel'
import { and, eq, ne, sql } from 'drizzle-orm'
import type { DeleteGrant, ModifyGrant, NewUser, TenantRef, User, UserChange } from './user.ts'

/** What the constraints on people mean to the caller. */
const meanings = {
  users__email: () => problem('email-taken'),
  users__phone: () => problem('phone-taken'),
  users__tenant_id_username: () => problem('username-taken'),
  users__identifier: () => problem('invalid-input', 'A person keeps at least one of e-mail, phone and username.'),
  users__email_folded: () => problem('invalid-input', 'An e-mail address is kept in lower case.'),
  users__client_not_active: () => problem('client-not-active'),
  users__client_in_use: () => problem('client-in-use'),
  memberships__last_administrator: () => problem('last-administrator'),
}

/** @throws Problem `user-not-found`, also for whoever was deleted */
export async function findUser(tx: TenantTx, id: UserId): Promise<User> {
  const [user] = await tx.db
    .select()
    .from(users)
    .where(and(eq(users.tenantId, tx.tenantId), eq(users.id, id), ne(users.status, 'deleted')))
  if (user === undefined) throw problem('user-not-found')
  return user
}

/** @throws Problem `client-not-found`, also for a person of another kind */
export async function findClient(tx: TenantTx, id: UserId): Promise<void> {
  const found = await tx.db
    .select({ id: users.id })
    .from(users)
    .where(
      and(eq(users.tenantId, tx.tenantId), eq(users.id, id), eq(users.kind, 'client'), ne(users.status, 'deleted')),
    )
  if (found.length === 0) throw problem('client-not-found')
}

/** The person, their membership at home, and the role that everybody there has. */
export async function insertUser(
  tx: TenantTx,
  grant: Grant<'users:create' | 'clients:create' | 'sub-clients:create' | 'users:register', TenantRef, unknown>,
  newUser: NewUser,
): Promise<User> {
  const tenantId = grant.resource.id
  const id = newId<UserId>()
  const membershipId = newId<MembershipId>()
  try {
    const [user] = await tx.db
      .insert(users)
      .values({ tenantId, id, ...newUser, ...fold(newUser) })
      .returning()
    if (user === undefined) throw new Error('An inserted row was not returned.')
    await tx.db.insert(memberships).values({ tenantId, id: membershipId, userId: id })
    await tx.db.insert(membershipRoles).select(
      tx.db
        .select({
          tenantId: roles.tenantId,
          membershipId: sql`${membershipId}::uuid`.as('membership_id'),
          roleId: roles.id,
          createdAt: sql`now()`.as('created_at'),
        })
        .from(roles)
        .where(and(eq(roles.tenantId, tenantId), eq(roles.name, 'member'))),
    )
    return user
  } catch (error) {
    throw translateConstraint(error, meanings)
  }
}

/**
 * Changes the row only where it is as the grant's person was read: whoever was changed or removed meanwhile is a conflict.
 * @throws Problem `concurrent-change`, `email-taken`, `phone-taken`, `username-taken`, `last-administrator`,
 *   `client-not-active`
 */
export async function updateUser(
  tx: TenantTx,
  grant: ModifyGrant | DeleteGrant,
  change: UserChange & Partial<Pick<User, 'status' | 'isSuspendedWithClient' | 'emailVerifiedAt' | 'phoneVerifiedAt'>>,
): Promise<User> {
  const { tenantId, id, version } = grant.resource
  try {
    const [user] = await tx.db
      .update(users)
      .set({ ...change, ...fold(change), version: version + 1, updatedAt: sql`now()` })
      .where(and(eq(users.tenantId, tenantId), eq(users.id, id), eq(users.version, version)))
      .returning()
    if (user === undefined) throw problem('concurrent-change')
    return user
  } catch (error) {
    throw translateConstraint(error, meanings)
  }
}

/** @throws Problem `last-administrator` */
export async function deleteHomeMembership(tx: TenantTx, grant: DeleteGrant): Promise<void> {
  const { tenantId, id } = grant.resource
  try {
    await tx.db.delete(memberships).where(and(eq(memberships.tenantId, tenantId), eq(memberships.userId, id)))
  } catch (error) {
    throw translateConstraint(error, meanings)
  }
}

/**
 * The person is a guest nowhere any more; each tenant where they were one has it in its own audit.
 * @returns in how many they were
 * @throws Problem `last-administrator` where one of them would have none left
 */
export async function endGuestMemberships(
  { sql: statement }: TenantTx,
  grant: DeleteGrant,
  reason: string,
): Promise<number> {
  const { id } = grant.resource
  try {
    const [row] = await statement<{ ended: number }[]>`
      select end_guest_memberships(${id}, ${reason}, ${grant.actor.request.id}) as ended`
    return row?.ended ?? 0
  } catch (error) {
    throw translateConstraint(error, meanings)
  }
}

/** The sub-clients of a client that are there, the oldest first. */
export async function listSubClients(
  { db, tenantId }: TenantTx,
  clientId: UserId,
): Promise<Pick<User, 'id' | 'name' | 'email' | 'username' | 'status' | 'isSuspendedWithClient'>[]> {
  const { id, name, email, username, status, isSuspendedWithClient } = users
  return db
    .select({ id, name, email, username, status, isSuspendedWithClient })
    .from(users)
    .where(and(eq(users.tenantId, tenantId), eq(users.parentId, clientId), ne(users.status, 'deleted')))
    .orderBy(users.createdAt, users.id)
}

/** An address is compared in one case, whoever wrote it how. */
function fold({ email }: UserChange): Pick<UserChange, 'email'> {
  return typeof email === 'string' ? { email: email.toLowerCase() } : {}
}
