import { auditEvents, type TenantTx } from '@signet/db'
import { type AuditEventId, type Page, problem } from '@signet/kernel'
import { and, eq, getTableColumns, gte, lt } from 'drizzle-orm'
import { listRows } from '../lists/index.ts'
import type { AuditQuery } from './schema.ts'

export type AuditEvent = typeof auditEvents.$inferSelect

/** Ids are drawn in the order of time, so the primary key gives this order without sorting. */
const byId = { by: auditEvents.id, type: 'uuid' } as const
const { tenantId: _tenant, ...columns } = getTableColumns(auditEvents)

export function listAuditEvents(tx: TenantTx, cursorKey: Uint8Array, query: AuditQuery): Promise<Page<AuditEvent>> {
  const { actor_id, action, target_type, target_id, from, to } = query
  return listRows<AuditEvent>(
    tx,
    cursorKey,
    {
      name: 'audit-events',
      from: auditEvents,
      columns,
      id: byId,
      sorts: { at: byId },
      filters: [
        eq(auditEvents.tenantId, tx.tenantId),
        actor_id === undefined ? undefined : eq(auditEvents.actorId, actor_id as NonNullable<AuditEvent['actorId']>),
        action === undefined ? undefined : eq(auditEvents.action, action),
        target_type === undefined ? undefined : eq(auditEvents.targetType, target_type),
        target_id === undefined ? undefined : eq(auditEvents.targetId, target_id),
        from === undefined ? undefined : gte(auditEvents.at, new Date(from)),
        to === undefined ? undefined : lt(auditEvents.at, new Date(to)),
      ],
    },
    query,
  )
}

/** @throws Problem `audit-event-not-found` */
export async function findAuditEvent({ db, tenantId }: TenantTx, id: AuditEventId): Promise<AuditEvent> {
  const [event] = await db
    .select()
    .from(auditEvents)
    .where(and(eq(auditEvents.tenantId, tenantId), eq(auditEvents.id, id)))
  if (event === undefined) throw problem('audit-event-not-found')
  return event
}
