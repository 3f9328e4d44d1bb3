import type { TenantTx } from '@signet/db'
import type { Grant, SessionId, TenantId, UserId } from '@signet/kernel'

/** One live session: a device on which somebody is signed in. */
export interface Session {
  readonly id: SessionId
  readonly tenantId: TenantId
  readonly amr: string[]
  readonly ip: string | null
  readonly userAgent: string | null
  readonly authenticatedAt: Date
  readonly lastUsedAt: Date
  readonly expiresAt: Date
  readonly actorId: UserId | null
}

/** The live sessions of a person in every tenant, the newest first. */
export async function listSessions(
  { sql }: TenantTx,
  userId: UserId,
  { before, limit }: { readonly before: SessionId | null; readonly limit: number },
): Promise<Session[]> {
  return sql<Session[]>`
    select id, tenant_id as "tenantId", amr, ip, user_agent as "userAgent", authenticated_at as "authenticatedAt",
      last_used_at as "lastUsedAt", expires_at as "expiresAt", act_sub as "actorId"
    from sessions_of(${userId}) where ${before}::uuid is null or id < ${before} order by id desc limit ${limit}`
}

/** False where the person has no such live session. */
export async function endSession(
  { sql }: TenantTx,
  { resource }: Grant<'users:modify', { readonly id: UserId }>,
  id: SessionId,
): Promise<boolean> {
  const [row] = await sql<{ isEnded: boolean }[]>`
    select end_session_of(${resource.id}, ${id}, 'ended-by-administrator') as "isEnded"`
  return row?.isEnded ?? false
}
