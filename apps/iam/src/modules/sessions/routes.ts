import { type App, problemResponses } from '@signet/http'
import type { SessionId } from '@signet/kernel'
import { Type } from 'typebox'
import type { Deps } from '../../deps.ts'
import { describeRequest } from '../../request-facts.ts'
import { SessionPage, SessionPath, SessionQuery } from './schema.ts'
import { endOtherSessions, endOwnSession, findSelf, findSelfInPerson, listOwnSessions } from './service.ts'

const tags = ['Stay signed in and sign out']
/** Whoever has a temporary password sees and ends their sessions with it. */
const leave = { beforePasswordChange: true } as const

export function serveSessions(app: App, deps: Deps): void {
  app.get(
    '/api/v1/sessions',
    {
      config: { access: {} },
      schema: {
        tags,
        operationId: 'listSessions',
        summary: 'List where I am signed in',
        description: 'The living sessions of the person in every tenant, the latest first.',
        querystring: SessionQuery,
        response: { 200: SessionPage, ...problemResponses(400, 'invalid-cursor', 401, 503) },
      },
    },
    async request =>
      listOwnSessions(deps, await findSelf(deps, request.principal, describeRequest(request), leave), request.query),
  )
  app.delete(
    '/api/v1/sessions/:id',
    {
      config: { access: {} },
      schema: {
        tags,
        operationId: 'removeSession',
        summary: 'Sign one of my devices out',
        description: 'Ends that session; its refresh token opens nothing any more.',
        params: SessionPath,
        response: {
          204: Type.Null(),
          ...problemResponses(400, 401, 'acting-for-somebody', 'cross-site-request', 'session-not-found', 503),
        },
      },
    },
    async (request, reply) => {
      const facts = describeRequest(request)
      await endOwnSession(
        deps,
        await findSelfInPerson(deps, request.principal, facts, leave),
        request.params.id as SessionId,
        facts,
      )
      return reply.code(204).send(null)
    },
  )
  app.delete(
    '/api/v1/sessions',
    {
      config: { access: {} },
      schema: {
        tags,
        operationId: 'removeOtherSessions',
        summary: 'Sign all my other devices out',
        description: 'Ends every session of the person, in every tenant, but the one that asks.',
        response: { 204: Type.Null(), ...problemResponses(401, 'acting-for-somebody', 'cross-site-request', 503) },
      },
    },
    async (request, reply) => {
      await endOtherSessions(deps, await findSelfInPerson(deps, request.principal, describeRequest(request), leave))
      return reply.code(204).send(null)
    },
  )
}
