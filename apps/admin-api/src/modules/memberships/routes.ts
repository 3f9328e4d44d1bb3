import { type App, problemResponses } from '@signet/http'
import type { MembershipId, UserId } from '@signet/kernel'
import { Type } from 'typebox'
import type { Deps } from '../../deps.ts'
import { callerOf } from '../../wire/caller.ts'
import { pageOf, sendPage } from '../../wire/pages.ts'
import { etagOf, Precondition } from '../../wire/versions.ts'
import { type Answer, IdempotencyHeader, onceOf, onceProblems } from '../idempotency/index.ts'
import { serveAssignments } from './assignment-routes.ts'
import { MembershipParams, MembershipQuery, MembershipView, NewMembership } from './schema.ts'
import { invite, listMemberships, readMembership, removeMembership, type MembershipRow } from './service.ts'

const config = { access: {} }
const tags = ['Memberships']

export function serveMemberships(app: App, deps: Deps): void {
  app.get(
    '/memberships',
    {
      config,
      schema: {
        tags,
        operationId: 'listMemberships',
        summary: 'List memberships',
        description: 'The people of this tenant, its guests and its invitations. Needs `memberships:list`.',
        querystring: MembershipQuery,
        response: { 200: pageOf(MembershipView), ...problemResponses(400, 'invalid-cursor', 401, 403, 503) },
      },
    },
    async (request, reply) =>
      sendPage(reply, request, await listMemberships(deps, callerOf(request), request.query), presentMembership),
  )

  app.post(
    '/memberships',
    {
      config,
      schema: {
        tags,
        operationId: 'createMembership',
        summary: 'Invite a person',
        description:
          'The answer is always the same and says nothing about accounts elsewhere. The person accepts with ' +
          '`POST /api/v1/me/memberships/{id}/accept`. Needs `memberships:create`.',
        headers: IdempotencyHeader,
        body: NewMembership,
        response: {
          202: MembershipView,
          ...problemResponses(
            400,
            401,
            403,
            'grant-exceeds-own',
            'role-not-found',
            'membership-exists',
            ...onceProblems,
            413,
            415,
            503,
          ),
        },
      },
    },
    async (request, reply) => {
      const once = onceOf(deps.keys.idempotency, request, presentInvited)
      const answer = await invite(deps, callerOf(request), request.body, once)
      return reply.code(202).headers(answer.headers).send(answer.body)
    },
  )

  app.get(
    '/memberships/:id',
    {
      config,
      schema: {
        tags,
        operationId: 'readMembership',
        summary: 'Read a membership',
        description: 'Needs `memberships:read`.',
        params: MembershipParams,
        response: { 200: MembershipView, ...problemResponses(400, 401, 403, 'membership-not-found', 503) },
      },
    },
    async (request, reply) => {
      const membership = await readMembership(deps, callerOf(request), request.params.id as MembershipId)
      reply.header('etag', etagOf(membership))
      return presentMembership(membership)
    },
  )

  app.delete(
    '/memberships/:id',
    {
      config,
      schema: {
        tags,
        operationId: 'removeMembership',
        summary: 'Remove a guest or an invitation',
        description:
          "Ends the guest's sessions in this tenant. Needs `memberships:delete` and all that the person holds.",
        params: MembershipParams,
        headers: Precondition,
        response: {
          204: Type.Null({ description: 'Removed' }),
          ...problemResponses(
            400,
            401,
            403,
            'membership-not-found',
            'last-administrator',
            'user-state-conflict',
            412,
            503,
          ),
        },
      },
    },
    async (request, reply) => {
      await removeMembership(deps, callerOf(request), request.params.id as MembershipId, request.headers['if-match'])
      return reply.code(204).send(null)
    },
  )

  serveAssignments(app, deps, {
    path: '/memberships/:id/roles',
    tag: 'Memberships',
    whom: 'Membership',
    notFound: ['membership-not-found'],
    reads: 'memberships:read',
    memberOf: id => ({ membershipId: id as MembershipId }),
  })
  serveAssignments(app, deps, {
    path: '/users/:id/roles',
    tag: 'Users',
    whom: 'User',
    notFound: ['user-not-found', 'membership-not-found'],
    reads: 'users:read',
    memberOf: id => ({ userId: id as UserId }),
  })
}

export function presentMembership({
  id,
  status,
  userId,
  isGuest,
  invitedEmail,
  profile,
  place,
  ...row
}: MembershipRow): MembershipView {
  return {
    id,
    status,
    user_id: userId,
    is_guest: isGuest,
    email: invitedEmail ?? profile?.email ?? null,
    username: profile?.username ?? null,
    name: profile?.name ?? null,
    first_name: profile?.first_name ?? null,
    last_name: profile?.last_name ?? null,
    position: place?.position ?? null,
    org_unit: place?.orgUnit ?? null,
    brand_id: row.brandId,
    created_at: row.createdAt.toISOString(),
    updated_at: row.updatedAt.toISOString(),
  }
}

function presentInvited(membership: MembershipRow): Answer<MembershipView> {
  const headers = { location: `/admin/v1/memberships/${membership.id}`, etag: etagOf(membership) }
  return { status: 202, headers, body: presentMembership(membership) }
}
