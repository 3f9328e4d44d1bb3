/** The hash of a person's password stands in their home tenant and is read and written here alone. */
import { passwordCredentials, type TenantTx, users } from '@signet/db'
import { problem, type TenantId, type UserId } from '@signet/kernel'
import { and, eq } from 'drizzle-orm'
import type { ImportGrant } from './import-repo.ts'

/** A person in their home tenant. */
export interface PersonRef {
  readonly userId: UserId
  /** The home tenant, which is also that of the transaction. */
  readonly tenantId: TenantId
}

/** The hash, or null where there is none. */
export async function findPasswordHash(tx: TenantTx, { userId, tenantId }: PersonRef): Promise<string | null> {
  const [row] = await tx.db
    .select({ hash: passwordCredentials.hash })
    .from(passwordCredentials)
    .where(and(eq(passwordCredentials.tenantId, tenantId), eq(passwordCredentials.userId, userId)))
  return row?.hash ?? null
}

/**
 * Sets the password. With `checkedHash` only where that is the hash still: of two who change it at once, knowing the same
 * old one, the second is told. The person is locked first, so that a refresh key that is being set at this moment is seen
 * and dies with the old password.
 * @throws Problem `concurrent-change`
 */
export async function setPassword(
  tx: TenantTx,
  { userId, tenantId }: PersonRef,
  hash: string,
  { mustChange, checkedHash }: { readonly mustChange: boolean; readonly checkedHash?: string },
): Promise<void> {
  const change = { hash, mustChange, changedAt: new Date() }
  await tx.db
    .select({ id: users.id })
    .from(users)
    .where(and(eq(users.tenantId, tenantId), eq(users.id, userId)))
    .for('update')
  if (checkedHash === undefined) {
    await tx.db
      .insert(passwordCredentials)
      .values({ tenantId, userId, ...change })
      .onConflictDoUpdate({ target: [passwordCredentials.tenantId, passwordCredentials.userId], set: change })
    return
  }
  const changed = await tx.db
    .update(passwordCredentials)
    .set(change)
    .where(
      and(
        eq(passwordCredentials.tenantId, tenantId),
        eq(passwordCredentials.userId, userId),
        eq(passwordCredentials.hash, checkedHash),
      ),
    )
    .returning({ userId: passwordCredentials.userId })
  if (changed.length === 0) throw problem('concurrent-change')
}

/**
 * The same password, hashed as we do it now. Nothing happens where another hash stands there by now. The password is as old
 * as it was: what hangs on it lives on.
 */
export async function renewHash(
  tx: TenantTx,
  { userId, tenantId }: PersonRef,
  { checkedHash, hash }: { readonly checkedHash: string; readonly hash: string },
): Promise<void> {
  await tx.db
    .update(passwordCredentials)
    .set({ hash })
    .where(
      and(
        eq(passwordCredentials.tenantId, tenantId),
        eq(passwordCredentials.userId, userId),
        eq(passwordCredentials.hash, checkedHash),
      ),
    )
}

/** The first passwords of people who have just been made, in one statement. Whose hash is null gets none. */
export async function insertPasswords(
  { sql }: TenantTx,
  grant: ImportGrant,
  people: readonly { readonly id: UserId; readonly passwordHash: string | null; readonly mustChange: boolean }[],
): Promise<void> {
  const rows = people.flatMap(({ id, passwordHash: hash, mustChange: must_change }) =>
    hash === null ? [] : [{ id, hash, must_change }],
  )
  if (rows.length === 0) return
  await sql`
    insert into password_credentials (tenant_id, user_id, hash, must_change)
    select ${grant.resource.id}::uuid, r.id, r.hash, r.must_change
    from json_to_recordset(${JSON.stringify(rows)}::json) as r (id uuid, hash text, must_change boolean)`
}

export async function removePassword(tx: TenantTx, { userId, tenantId }: PersonRef): Promise<void> {
  await tx.db
    .delete(passwordCredentials)
    .where(and(eq(passwordCredentials.tenantId, tenantId), eq(passwordCredentials.userId, userId)))
}
