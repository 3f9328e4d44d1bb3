import { type AuditEventId, authorize, type Page } from '@signet/kernel'
import type { Deps } from '../../deps.ts'
import type { Caller } from '../../wire/caller.ts'
import { actAs } from '../actors/index.ts'
import { auditPolicy } from './policy.ts'
import { type AuditEvent, findAuditEvent, listAuditEvents } from './repo.ts'
import type { AuditQuery } from './schema.ts'

export type { AuditEvent }

export function listEvents(deps: Deps, caller: Caller, query: AuditQuery): Promise<Page<AuditEvent>> {
  return actAs(deps, caller, 'audit-events:list', async (tx, actor) => {
    authorize(auditPolicy, 'audit-events:list', actor, null)
    return listAuditEvents(tx, deps.keys.cursor, query)
  })
}

/** @throws Problem `audit-event-not-found` */
export function readEvent(deps: Deps, caller: Caller, id: AuditEventId): Promise<AuditEvent> {
  return actAs(deps, caller, 'audit-events:read', async (tx, actor) => {
    const event = await findAuditEvent(tx, id)
    return authorize(auditPolicy, 'audit-events:read', actor, event).resource
  })
}
