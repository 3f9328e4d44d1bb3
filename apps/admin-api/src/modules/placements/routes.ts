import { type App, problemResponses } from '@signet/http'
import type { MembershipId, PositionId, UserId } from '@signet/kernel'
import { Type } from 'typebox'
import type { Deps } from '../../deps.ts'
import { callerOf } from '../../wire/caller.ts'
import { pageOf, sendPage } from '../../wire/pages.ts'
import { etagOf, Precondition } from '../../wire/versions.ts'
import { MembershipParams, MembershipView, presentMembership } from '../memberships/index.ts'
import { PositionParams } from '../positions/index.ts'
import { HolderParams, HolderQuery, MembershipChange } from './schema.ts'
import { assignPosition, changeMembership, listHolders, withdrawPosition } from './service.ts'

const config = { access: {} }
const tags = ['Positions']
const Done = Type.Null({ description: 'Done' })

export function servePlacements(app: App, deps: Deps): void {
  app.get(
    '/positions/:id/users',
    {
      config,
      schema: {
        operationId: 'listPositionUsers',
        tags,
        summary: 'List who holds a position',
        description: 'As memberships: guests and invitations hold positions too. Needs `positions:read`.',
        params: PositionParams,
        querystring: HolderQuery,
        response: {
          200: pageOf(MembershipView),
          ...problemResponses(400, 'invalid-cursor', 401, 403, 'position-not-found', 503),
        },
      },
    },
    async (request, reply) => {
      const page = await listHolders(deps, callerOf(request), request.params.id as PositionId, request.query)
      return sendPage(reply, request, page, presentMembership)
    },
  )

  app.put(
    '/positions/:id/users/:user_id',
    {
      config,
      schema: {
        operationId: 'assignPosition',
        tags,
        summary: 'See to it that a person holds a position',
        description:
          'They leave the one they had in this tenant; nothing happens when they hold it. Needs `positions:modify` and ' +
          'all that the person holds.',
        params: HolderParams,
        headers: Precondition,
        response: { 204: Done, ...problemResponses(400, 401, 403, 'position-not-found', 'user-not-found', 412, 503) },
      },
    },
    async (request, reply) => {
      const { id, user_id } = request.params
      const ifMatch = request.headers['if-match']
      await assignPosition(deps, callerOf(request), id as PositionId, user_id as UserId, ifMatch)
      return reply.code(204).send(null)
    },
  )

  app.delete(
    '/positions/:id/users/:user_id',
    {
      config,
      schema: {
        operationId: 'withdrawPosition',
        tags,
        summary: 'Take a position away from a person',
        description: 'Who holds it. Needs `positions:modify` and all that the person holds.',
        params: HolderParams,
        headers: Precondition,
        response: { 204: Done, ...problemResponses(400, 401, 403, 'position-not-found', 'user-not-found', 412, 503) },
      },
    },
    async (request, reply) => {
      const { id, user_id } = request.params
      const ifMatch = request.headers['if-match']
      await withdrawPosition(deps, callerOf(request), id as PositionId, user_id as UserId, ifMatch)
      return reply.code(204).send(null)
    },
  )

  app.patch(
    '/memberships/:id',
    {
      config,
      schema: {
        operationId: 'changeMembership',
        tags: ['Memberships'],
        summary: 'Change the position of a member',
        description:
          'Also of a guest, or of an invitation, which keeps it when it is accepted. Needs `positions:modify` and all ' +
          'that the person holds.',
        params: MembershipParams,
        headers: Precondition,
        body: MembershipChange,
        response: {
          200: MembershipView,
          ...problemResponses(400, 401, 403, 'membership-not-found', 'position-not-found', 412, 413, 415, 503),
        },
      },
    },
    async (request, reply) => {
      const { params, body, headers } = request
      const membership = await changeMembership(
        deps,
        callerOf(request),
        params.id as MembershipId,
        body,
        headers['if-match'],
      )
      reply.header('etag', etagOf(membership))
      return presentMembership(membership)
    },
  )
}
