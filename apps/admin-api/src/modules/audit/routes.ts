import { Readable } from 'node:stream'
import { type App, problemResponses } from '@signet/http'
import type { AuditEventId } from '@signet/kernel'
import type { Deps } from '../../deps.ts'
import { callerOf } from '../../wire/caller.ts'
import { pageOf, sendPage } from '../../wire/pages.ts'
import { AuditEventParams, AuditEventView, AuditExportQuery, AuditQuery } from './schema.ts'
import { type AuditEvent, exportEvents, listEvents, readEvent } from './service.ts'

const config = { access: {} }
const tags = ['Audit']
const ndjson = 'application/x-ndjson'

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
        response: { 200: pageOf(AuditEventView), ...problemResponses(400, 'invalid-cursor', 401, 403, 503) },
      },
    },
    async (request, reply) =>
      sendPage(reply, request, await listEvents(deps, callerOf(request), request.query), presentEvent),
  )

  app.get(
    '/audit-events/export',
    {
      config,
      schema: {
        operationId: 'exportAuditEvents',
        tags,
        summary: 'Export audit events',
        description:
          'One a line, the oldest first, with the filters of the list. An export that cannot be brought to its end breaks off ' +
          'in the middle of the answer. Needs `audit-events:list`.',
        querystring: AuditExportQuery,
        response: {
          200: { description: 'The events, line by line', content: { [ndjson]: { schema: AuditEventView } } },
          ...problemResponses(400, 401, 403, 503),
        },
      },
    },
    async (request, reply) => {
      const pages = exportEvents(deps, callerOf(request), request.query)
      // Whoever may not hears so before the answer begins.
      const first = await pages.next()
      const lines = async function* () {
        if (first.done !== true) yield writeLines(first.value)
        for await (const page of pages) yield writeLines(page)
      }
      return reply.type(ndjson).header('cache-control', 'no-store').send(Readable.from(lines()))
    },
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
        response: { 200: AuditEventView, ...problemResponses(400, 401, 403, 'audit-event-not-found', 503) },
      },
    },
    async (request, reply) => {
      const event = await readEvent(deps, callerOf(request), request.params.id as AuditEventId)
      reply.header('etag', '"1"')
      return presentEvent(event)
    },
  )
}

function writeLines(events: readonly AuditEvent[]): string {
  return events.map(event => `${JSON.stringify(presentEvent(event))}\n`).join('')
}

function presentEvent(event: AuditEvent): AuditEventView {
  return {
    id: event.id,
    at: event.at.toISOString(),
    action: event.action,
    actor_id: event.actorId,
    actor_name: event.actorName,
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
