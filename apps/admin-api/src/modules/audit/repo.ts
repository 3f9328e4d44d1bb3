import { auditEvents, type TenantTx } from '@signet/db'
import { type AuditEventId, type Page, problem } from '@signet/kernel'
import { and, eq, getTableColumns, gte, like, lt, type SQL, sql } from 'drizzle-orm'
import { holdsText, listRows } from '../lists/index.ts'
import type { AuditQuery } from './schema.ts'

type AuditRow = Omit<typeof auditEvents.$inferSelect, 'tenantId'>
/** With what its actor is called here now. */
export type AuditEvent = AuditRow & { readonly actorName: string | null }

/** Ids are drawn in the order of time, so the primary key gives this order without sorting. */
const byId = { by: auditEvents.id, type: 'uuid' } as const
const { tenantId: _tenant, ...columns } = getTableColumns(auditEvents)

export async function listAuditEvents(
  tx: TenantTx,
  cursorKey: Uint8Array,
  query: AuditQuery,
): Promise<Page<AuditEvent>> {
  const page = await listRows<AuditRow>(
    tx,
    cursorKey,
    { name: 'audit-events', from: auditEvents, columns, id: byId, sorts: { at: byId }, filters: filtersOf(tx, query) },
    query,
  )
  return { ...page, items: await withNames(tx, page.items) }
}

function filtersOf({ tenantId }: TenantTx, query: AuditQuery): (SQL | undefined)[] {
  const { q, actor_id, action, target_type, target_id, session_id, request_id, from, to } = query
  const { targetType, targetId, requestId, at, ip, userAgent } = auditEvents
  return [
    eq(auditEvents.tenantId, tenantId),
    holdsText(q, auditEvents.action, targetType, targetId, ip, userAgent),
    actor_id === undefined ? undefined : eq(auditEvents.actorId, actor_id as NonNullable<AuditRow['actorId']>),
    action === undefined ? undefined : isAction(action),
    target_type === undefined ? undefined : eq(targetType, target_type),
    target_id === undefined ? undefined : eq(targetId, target_id),
    session_id === undefined ? undefined : eq(auditEvents.sessionId, session_id as NonNullable<AuditRow['sessionId']>),
    request_id === undefined ? undefined : eq(requestId, request_id),
    from === undefined ? undefined : and(gte(at, new Date(from)), gte(auditEvents.id, idAround(from, '-1 hour'))),
    to === undefined ? undefined : and(lt(at, new Date(to)), lt(auditEvents.id, idAround(to, '1 hour'))),
  ]
}

/** Ids tell the time by the clock of whoever wrote the event, events by the database's: an hour lies between them at most. */
function idAround(time: string, distance: '-1 hour' | '1 hour'): SQL {
  return sql`first_id_of(${time}::text::timestamptz + ${distance}::text::interval)`
}

const mostFrequent = 'token.refreshed'

/** The schema lets no letter through that LIKE gives a meaning. */
function isAction(action: string): SQL | undefined {
  if (action.endsWith('.*')) return like(auditEvents.action, `${action.slice(0, -1)}%`)
  const isIt = eq(auditEvents.action, action)
  // Said in words, so that any plan can use the index of what happens seldom.
  return action === mostFrequent ? isIt : and(isIt, sql`${auditEvents.action} <> ${sql.raw(`'${mostFrequent}'`)}`)
}

/** @throws Problem `audit-event-not-found` */
export async function findAuditEvent(tx: TenantTx, id: AuditEventId): Promise<AuditEvent> {
  const found = await tx.db
    .select(columns)
    .from(auditEvents)
    .where(and(eq(auditEvents.tenantId, tx.tenantId), eq(auditEvents.id, id)))
  const [event] = await withNames(tx, found)
  if (event === undefined) throw problem('audit-event-not-found')
  return event
}

/** People of other tenants are not there under row-level security: their names are for their own. */
async function withNames({ sql: statement, tenantId }: TenantTx, rows: readonly AuditRow[]): Promise<AuditEvent[]> {
  const ids = [...new Set(rows.flatMap(({ actorId }) => actorId ?? []))]
  const found =
    ids.length === 0
      ? []
      : await statement<{ id: string; name: string | null }[]>`
          select w.id, (
            select coalesce(nullif(name, ''), nullif(concat_ws(' ', first_name, last_name), ''), username, email, phone)
            from users u where u.tenant_id = ${tenantId} and u.id = w.id) as name
          from unnest(${ids}::uuid[]) as w (id)`
  const names = new Map(found.map(({ id, name }) => [id, name]))
  return rows.map(row => ({ ...row, actorName: names.get(row.actorId ?? '') ?? null }))
}
