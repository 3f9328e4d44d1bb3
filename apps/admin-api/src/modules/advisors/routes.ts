import { type App, problemResponses } from '@signet/http'
import type { UserId } from '@signet/kernel'
import { Type } from 'typebox'
import type { Deps } from '../../deps.ts'
import { callerOf } from '../../wire/caller.ts'
import { pageOf, sendPage } from '../../wire/pages.ts'
import { AdvisedParams, AdvisedQuery, AdvisedView, AdvisorParams } from './schema.ts'
import { type AdvisedRow, assignClient, listClients, removeClient } from './service.ts'

const config = { access: {} }
const tags = ['Advisors']
const Done = Type.Null({ description: 'Done' })

export function serveAdvisors(app: App, deps: Deps): void {
  app.get(
    '/advisors/:id/clients',
    {
      config,
      schema: {
        tags,
        operationId: 'listClientsOfAdvisor',
        summary: 'List the clients of an advisor',
        description: 'The people for whom a member with the role `advisor` may act. Needs `advisors:list`.',
        params: AdvisorParams,
        querystring: AdvisedQuery,
        response: {
          200: pageOf(AdvisedView),
          ...problemResponses(400, 'invalid-cursor', 401, 403, 'advisor-not-found', 503),
        },
      },
    },
    async (request, reply) => {
      const page = await listClients(deps, callerOf(request), request.params.id as UserId, request.query)
      return sendPage(reply, request, page, presentAdvised)
    },
  )

  app.put(
    '/advisors/:id/clients/:user_id',
    {
      config,
      schema: {
        tags,
        operationId: 'assignClientToAdvisor',
        summary: 'See to it that a client is assigned to an advisor',
        description:
          'Nothing happens when they are. The advisor may then act for the client as long as they hold all that the client holds. Needs `advisors:modify` and all that the client holds.',
        params: AdvisedParams,
        response: { 204: Done, ...problemResponses(400, 401, 403, 'advisor-not-found', 'user-not-found', 503) },
      },
    },
    async (request, reply) => {
      const { id, user_id } = request.params
      await assignClient(deps, callerOf(request), id as UserId, user_id as UserId)
      return reply.code(204).send(null)
    },
  )

  app.delete(
    '/advisors/:id/clients/:user_id',
    {
      config,
      schema: {
        tags,
        operationId: 'removeClientFromAdvisor',
        summary: 'Take a client away from an advisor',
        description:
          'The sessions in which the advisor acts for the client end at once, and tokens that would open another are withdrawn. Needs `advisors:modify`.',
        params: AdvisedParams,
        response: { 204: Done, ...problemResponses(400, 401, 403, 'advisor-not-found', 'user-not-found', 503) },
      },
    },
    async (request, reply) => {
      const { id, user_id } = request.params
      await removeClient(deps, callerOf(request), id as UserId, user_id as UserId)
      return reply.code(204).send(null)
    },
  )
}

function presentAdvised({ userId, createdAt, profile }: AdvisedRow): AdvisedView {
  return {
    user_id: userId,
    email: profile?.email ?? null,
    username: profile?.username ?? null,
    name: profile?.name ?? null,
    first_name: profile?.first_name ?? null,
    last_name: profile?.last_name ?? null,
    assigned_at: createdAt.toISOString(),
  }
}
