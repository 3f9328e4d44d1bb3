import { type AuditEventId, authorize, type Page } from '@signet/kernel'
import type { Deps } from '../../deps.ts'
import type { Caller } from '../../wire/caller.ts'
import { actAs } from '../actors/index.ts'
import { auditPolicy } from './policy.ts'
import { type AuditEvent, findAuditEvent, listAuditEvents } from './repo.ts'
import type { AuditExportQuery, AuditQuery } from './schema.ts'

export type { AuditEvent }

export function listEvents(deps: Deps, caller: Caller, query: AuditQuery): Promise<Page<AuditEvent>> {
  return actAs(deps, caller, 'audit-events:list', async (tx, actor) => {
    authorize(auditPolicy, 'audit-events:list', actor, null)
    return listAuditEvents(tx, deps.keys.cursor, query)
  })
}

const eventsAPage = 500

/**
 * Page by page, each in a transaction of its own: a reader who is slow holds no connection, and one who may no longer read gets
 * no further page.
 */
export async function* exportEvents(
  deps: Deps,
  caller: Caller,
  query: AuditExportQuery,
): AsyncGenerator<readonly AuditEvent[], void> {
  let cursor: string | null = null
  do {
    const page: Page<AuditEvent> = await listEvents(deps, caller, {
      ...query,
      limit: eventsAPage,
      count: false,
      ...(cursor === null ? {} : { cursor }),
    })
    yield page.items
    cursor = page.next_cursor
  } while (cursor !== null)
}

/** @throws Problem `audit-event-not-found` */
export function readEvent(deps: Deps, caller: Caller, id: AuditEventId): Promise<AuditEvent> {
  return actAs(deps, caller, 'audit-events:read', async (tx, actor) => {
    const event = await findAuditEvent(tx, id)
    return authorize(auditPolicy, 'audit-events:read', actor, event).resource
  })
}
