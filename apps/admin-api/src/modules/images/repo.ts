import type { User } from '@signet/accounts'
import { type Database, runStatement, tenants, type TenantTx, users } from '@signet/db'
import type { Grant, TenantId } from '@signet/kernel'
import { and, eq, sql as expression } from 'drizzle-orm'
import type { Caller } from '../../wire/caller.ts'
import type { Tenant } from '../tenants/index.ts'

/** The home tenant of whoever calls, else the tenant of their token. */
export async function findHome(db: Database, { userId, tenantId }: Caller): Promise<TenantId> {
  const [row] = await runStatement(db, sql => sql<{ home: TenantId | null }[]>`select home_tenant(${userId}) as home`)
  return row?.home ?? tenantId
}

/** Names an object before its bytes are written: it is found here, should nobody come to use it within the hour. */
export async function announceImage(db: Database, key: string): Promise<void> {
  await runStatement(db, sql => sql`insert into unused_images (key, due_at) values (${key}, now() + interval '1 hour')`)
}

/** From now on somebody uses it. */
export async function claimImage({ sql }: TenantTx, key: string): Promise<void> {
  const { count } = await sql`delete from unused_images where key = ${key}`
  if (count === 0) throw new Error('The image was removed before it was used: writing it has taken an hour.')
}

/** Those that may be removed from the store, the oldest first. */
export async function findUnusedImages(db: Database): Promise<string[]> {
  const due = await runStatement(
    db,
    sql => sql<{ key: string }[]>`select key from unused_images where due_at <= now() order by due_at limit 100`,
  )
  return due.map(({ key }) => key)
}

/** They are no longer in the store. */
export async function forgetImage(db: Database, key: string): Promise<void> {
  await runStatement(db, sql => sql`delete from unused_images where key = ${key}`)
}

/** The database names the image of before as one that is no longer used. */
export async function updateAvatar(
  { db }: TenantTx,
  { resource }: Grant<'users:modify', User>,
  avatarKey: string | null,
): Promise<void> {
  const { tenantId, id } = resource
  await db
    .update(users)
    .set({ avatarKey, version: expression`${users.version} + 1`, updatedAt: expression`now()` })
    .where(and(eq(users.tenantId, tenantId), eq(users.id, id)))
}

/** As {@link updateAvatar}, for a company. */
export async function updateLogo(
  { db }: TenantTx,
  { resource }: Grant<'tenants:modify', Tenant>,
  logoKey: string | null,
): Promise<void> {
  await db
    .update(tenants)
    .set({ logoKey, version: expression`${tenants.version} + 1`, updatedAt: expression`now()` })
    .where(eq(tenants.id, resource.id))
}
