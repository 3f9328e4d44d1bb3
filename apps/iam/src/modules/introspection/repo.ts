import { type Database, runStatement } from '@signet/db'
import type { SessionId, TenantId, UserId } from '@signet/kernel'
import type { RequestFacts } from '../../deps.ts'

export interface SessionState {
  readonly userId: UserId
  readonly tenantId: TenantId
  readonly username: string
  readonly roles: string[]
  readonly permissions: string[]
  /** Who acts for the person; null for the person themself. */
  readonly actorId: UserId | null
  readonly rotatedAt: Date
  readonly refreshExpiresAt: Date
}

/**
 * What a session is worth now. Undefined where it, its person, their membership or the tenant is over, or where `leaf` (the
 * hash of a refresh token) is not its live one.
 */
export async function findSessionState(
  database: Database,
  sessionId: SessionId,
  leaf: Uint8Array | null,
): Promise<SessionState | undefined> {
  const [row] = await runStatement(
    database,
    sql => sql<SessionState[]>`
      select user_id as "userId", tenant_id as "tenantId", username, roles, permissions, act_sub as "actorId",
        rotated_at as "rotatedAt", refresh_expires_at as "refreshExpiresAt"
      from introspect_session(${sessionId}, ${leaf})`,
  )
  return row
}

export async function endSession(database: Database, sessionId: SessionId, request: RequestFacts): Promise<void> {
  await runStatement(
    database,
    sql => sql`select end_session(${sessionId}, 'revoked', ${request.ip}, ${request.id}, ${request.userAgent})`,
  )
}
