import { type App, problemResponses } from '@signet/http'
import type { AuditEventId } from '@signet/kernel'
import type { Deps } from '../../deps.ts'
import { callerOf } from '../../wire/caller.ts'
import { pageOf, sendPage } from '../../wire/pages.ts'
import { AuditEventParams, AuditEventView, AuditQuery } from './schema.ts'
import { listEvents, readEvent, type AuditEvent } from './service.ts'

const config = { access: {} }
const tags = ['Audit']

export function serveAudit(app: App, deps: Deps): void {
  app.get(
    '/audit-events',
    {
      config,
      schema: {
        tags,
        operationId: 'listAuditEvents',
        summary: 'List audit events',
        description: 'What happened in this tenant, the latest first. Needs `audit-events:list`.',
        querystring: AuditQuery,
        response: { 200: pageOf(AuditEventView), ...problemResponses(400, 401, 403, 503) },
      },
    },
    async (request, reply) =>
      sendPage(reply, request, await listEvents(deps, callerOf(request), request.query), presentEvent),
  )

  app.get(
    '/audit-events/:id',
    {
      config,
      schema: {
        tags,
        operationId: 'readAuditEvent',
        summary: 'Read an audit event',
        description: 'Needs `audit-events:read`. An event never changes.',
        params: AuditEventParams,
        response: { 200: AuditEventView, ...problemResponses(400, 401, 403, 404, 503) },
      },
    },
    async (request, reply) => {
      const event = await readEvent(deps, callerOf(request), request.params.id as AuditEventId)
      reply.header('etag', '"1"')
      return presentEvent(event)
    },
  )
}

function presentEvent(event: AuditEvent): AuditEventView {
  return {
    id: event.id,
    at: event.at.toISOString(),
    action: event.action,
    actor_id: event.actorId,
    session_id: event.sessionId,
    target_type: event.targetType,
    target_id: event.targetId,
    before: event.before,
    after: event.after,
    ip: event.ip,
    user_agent: event.userAgent,
    request_id: event.requestId,
  }
}
