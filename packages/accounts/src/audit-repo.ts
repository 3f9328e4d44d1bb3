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
    actorId: entry.actor?.actorId ?? entry.actor?.userId ?? null,
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
