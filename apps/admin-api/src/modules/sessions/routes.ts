import { type App, problemResponses } from '@signet/http'
import type { SessionId, UserId } from '@signet/kernel'
import { Type } from 'typebox'
import type { Deps } from '../../deps.ts'
import { callerOf } from '../../wire/caller.ts'
import { pageOf, sendPage } from '../../wire/pages.ts'
import { SessionParams, SessionQuery, SessionsParams, SessionView } from './schema.ts'
import { endSessionOf, endSessionsOf, listSessionsOf, type Session } from './service.ts'

const config = { access: {} }
const tags = ['Users']
const Done = Type.Null({ description: 'Ended' })

export function serveSessions(app: App, deps: Deps): void {
  app.get(
    '/users/:id/sessions',
    {
      config,
      schema: {
        tags,
        operationId: 'listSessionsOfUser',
        summary: 'List the sessions of a person',
        description: 'Those that live, in every tenant, the newest first. Needs `users:read`.',
        params: SessionsParams,
        querystring: SessionQuery,
        response: {
          200: pageOf(SessionView),
          ...problemResponses(400, 'invalid-cursor', 401, 403, 'user-not-found', 503),
        },
      },
    },
    async (request, reply) => {
      const { params, query } = request
      const page = await listSessionsOf(deps, callerOf(request), params.id as UserId, query)
      return sendPage(reply, request, page, presentSession)
    },
  )

  app.delete(
    '/users/:id/sessions',
    {
      config,
      schema: {
        tags,
        operationId: 'endSessionsOfUser',
        summary: 'End all sessions of a person',
        description:
          'In every tenant, with those in which they act for others. A password or a refresh key still lets them in. Needs `users:modify` and all that the person holds.',
        params: SessionsParams,
        response: { 204: Done, ...problemResponses(400, 401, 403, 'user-not-found', 503) },
      },
    },
    async (request, reply) => {
      await endSessionsOf(deps, callerOf(request), request.params.id as UserId)
      return reply.code(204).send(null)
    },
  )

  app.delete(
    '/users/:id/sessions/:session_id',
    {
      config,
      schema: {
        tags,
        operationId: 'endSessionOfUser',
        summary: 'End a session of a person',
        description: 'Needs `users:modify` and all that the person holds.',
        params: SessionParams,
        response: { 204: Done, ...problemResponses(400, 401, 403, 'user-not-found', 'session-not-found', 503) },
      },
    },
    async (request, reply) => {
      const { id, session_id } = request.params
      await endSessionOf(deps, callerOf(request), id as UserId, session_id as SessionId)
      return reply.code(204).send(null)
    },
  )
}

function presentSession({ id, tenantId, amr, ip, userAgent, actorId, ...times }: Session): SessionView {
  return {
    id,
    tenant_id: tenantId,
    amr,
    ip,
    user_agent: userAgent,
    authenticated_at: times.authenticatedAt.toISOString(),
    last_used_at: times.lastUsedAt.toISOString(),
    expires_at: times.expiresAt.toISOString(),
    act: actorId === null ? null : { sub: actorId },
  }
}
