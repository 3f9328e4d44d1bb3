import { type App, problemResponses } from '@signet/http'
import type { MembershipId } from '@signet/kernel'
import type { Deps } from '../../deps.ts'
import { describeRequest } from '../../request-facts.ts'
import { findSelf, findSelfInPerson } from '../sessions/index.ts'
import { AcceptedMembership, Me, MeChange, MembershipPath } from './schema.ts'
import { acceptMembership, changeMe, findMe } from './service.ts'

const tags = ['Your own account']

export function serveMe(app: App, deps: Deps): void {
  app.get(
    '/api/v1/me',
    {
      config: { access: {} },
      schema: {
        tags,
        operationId: 'readMe',
        summary: 'Who am I?',
        description: 'The person, with the roles and permissions of this moment in the tenant of the token.',
        response: { 200: Me, ...problemResponses(401, 503) },
      },
    },
    async request => {
      const leave = { beforePasswordChange: true } as const
      return findMe(deps, await findSelf(deps, request.principal, describeRequest(request), leave))
    },
  )
  app.patch(
    '/api/v1/me',
    {
      config: { access: {} },
      schema: {
        tags,
        operationId: 'changeMe',
        summary: 'Change what I am called',
        description: 'A merge patch of the names and the language.',
        body: MeChange,
        response: {
          200: Me,
          ...problemResponses(400, 401, 'password-change-required', 'cross-site-request', 'concurrent-change', 503),
        },
      },
    },
    async request => changeMe(deps, await findSelf(deps, request.principal, describeRequest(request)), request.body),
  )
  app.post(
    '/api/v1/me/memberships/:id/accept',
    {
      config: { access: {} },
      schema: {
        tags: ['Other tenants'],
        operationId: 'acceptMembership',
        summary: 'Accept an invitation to another tenant',
        description: 'The invitation was sent to the address of the person who accepts it, who has verified it.',
        params: MembershipPath,
        response: {
          200: AcceptedMembership,
          ...problemResponses(
            400,
            401,
            'email-not-verified',
            'acting-for-somebody',
            'password-change-required',
            'cross-site-request',
            'membership-not-found',
            'membership-exists',
            503,
          ),
        },
      },
    },
    async request => {
      const facts = describeRequest(request)
      const self = await findSelfInPerson(deps, request.principal, facts)
      return acceptMembership(deps, self, request.params.id as MembershipId, facts)
    },
  )
}
