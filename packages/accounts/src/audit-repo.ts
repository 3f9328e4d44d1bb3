/** Every change writes its audit event in its own transaction: there is no change without one, and none without a change. */
import { auditEvents, type TenantTx } from '@signet/db'
import { type Actor, type AuditEventId, newId } from '@signet/kernel'
import type { RequestRef } from './user.ts'

export interface AuditEntry {
  /** Past tense: `user.suspended`. */
  readonly action: string
  /** Null where nobody has signed in, as at registration. */
  readonly actor: Actor | null
  readonly targetType: string
  readonly targetId: string
  /** The members that changed, as they were and as they are. Never a secret. */
  readonly before?: Readonly<Record<string, unknown>>
  readonly after?: Readonly<Record<string, unknown>>
  readonly request: RequestRef
}

/** Writes the event into the tenant of the transaction. */
export async function recordAudit(tx: TenantTx, entry: AuditEntry): Promise<void> {
  await tx.db.insert(auditEvents).values({
    tenantId: tx.tenantId,
    id: newId<AuditEventId>(),
    action: entry.action,
    actorId: actorIdOf(entry),
    sessionId: entry.actor?.sessionId ?? null,
    targetType: entry.targetType,
    targetId: entry.targetId,
    before: entry.before ?? null,
    after: entry.after ?? null,
    ip: entry.request.ip,
    requestId: entry.request.id,
    userAgent: entry.request.userAgent ?? null,
  })
}

/** As `recordAudit`, many in one statement. */
export async function recordAudits({ sql, tenantId }: TenantTx, entries: readonly AuditEntry[]): Promise<void> {
  const rows = entries.map(entry => ({
    id: newId<AuditEventId>(),
    action: entry.action,
    actor_id: actorIdOf(entry),
    session_id: entry.actor?.sessionId ?? null,
    target_type: entry.targetType,
    target_id: entry.targetId,
    before: entry.before ?? null,
    after: entry.after ?? null,
    ip: entry.request.ip,
    request_id: entry.request.id,
    user_agent: entry.request.userAgent ?? null,
  }))
  await sql`
    insert into audit_events (tenant_id, id, action, actor_id, session_id, target_type, target_id, before, after, ip,
      request_id, user_agent)
    select ${tenantId}::uuid, r.*
    from json_to_recordset(${JSON.stringify(rows)}::json) as r (id uuid, action text, actor_id uuid, session_id uuid,
      target_type text, target_id text, before jsonb, after jsonb, ip text, request_id uuid, user_agent text)`
}

function actorIdOf({ actor }: AuditEntry) {
  return actor?.actorId ?? actor?.userId ?? null
}
