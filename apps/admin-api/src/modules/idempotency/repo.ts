import { idempotencyKeys, type TenantTx } from '@signet/db'
import type { Actor } from '@signet/kernel'
import { and, eq, sql } from 'drizzle-orm'

export interface KeptAnswer {
  readonly fingerprint: Uint8Array
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: unknown
}

/** False while another transaction works under the same key. Held until the end of this one. */
export async function lockKey(tx: TenantTx, actor: Actor, key: string): Promise<boolean> {
  const name = `idempotency:${actor.tenantId}:${actor.userId}:${key}`
  const [row] = await tx.sql<
    { isOurs: boolean }[]
  >`select pg_try_advisory_xact_lock(hashtextextended(${name}, 0)) as "isOurs"`
  return row?.isOurs ?? false
}

const isFresh = sql`${idempotencyKeys.createdAt} > now() - interval '24 hours'`

export async function findKeptAnswer(tx: TenantTx, actor: Actor, key: string): Promise<KeptAnswer | undefined> {
  const { fingerprint, status, headers, body } = idempotencyKeys
  const [row] = await tx.db
    .select({ fingerprint, status, headers, body })
    .from(idempotencyKeys)
    .where(and(eq(idempotencyKeys.userId, actor.userId), eq(idempotencyKeys.key, key), isFresh))
  return row as KeptAnswer | undefined
}

/** How many expired rows a new one takes along, so that the table ends as many as it begins. */
const sweepSize = 20

export async function keepAnswer(tx: TenantTx, actor: Actor, key: string, answer: KeptAnswer): Promise<void> {
  await tx.sql`
    delete from idempotency_keys where (tenant_id, user_id, key) in (
      select tenant_id, user_id, key from idempotency_keys
      where tenant_id = ${tx.tenantId} and created_at <= now() - interval '24 hours'
      order by created_at limit ${sweepSize} for update skip locked)`
  await tx.db
    .insert(idempotencyKeys)
    .values({ tenantId: tx.tenantId, userId: actor.userId, key, ...answer })
    .onConflictDoUpdate({
      target: [idempotencyKeys.tenantId, idempotencyKeys.userId, idempotencyKeys.key],
      set: { ...answer, createdAt: sql`now()` },
    })
}
