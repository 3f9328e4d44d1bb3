import { type App, hasBearer, problemResponses } from '@signet/http'
import type { TenantId } from '@signet/kernel'
import { Type } from 'typebox'
import type { Deps } from '../../deps.ts'
import { describeRequest } from '../../request-facts.ts'
import { findSelf } from '../sessions/index.ts'
import { refreshByCookie, signOutByCookie } from './cookie-sessions.ts'
import { sendTokens } from './token-cookies.ts'
import { RefreshRequest, TenantTokenRequest, TokenAnswer } from './schema.ts'
import { enterOtherTenant, refreshTokens, revokeTokens } from './service.ts'

const tags = ['Stay signed in and sign out']

export function serveTokens(app: App, deps: Deps): void {
  app.post(
    '/api/v1/tokens/refresh',
    {
      config: { access: 'public', perMinute: 600, isVital: true },
      preValidation: readEmptyBody,
      schema: {
        tags,
        operationId: 'refreshTokens',
        summary: 'Refresh the tokens of a session',
        description:
          'Spends the refresh token and gives the next pair. Repeated within ten seconds it gives the same refresh token again; later it is taken for theft and ends the session.',
        body: RefreshRequest,
        response: {
          200: TokenAnswer,
          ...problemResponses(
            400,
            'invalid-refresh-token',
            'refresh-token-reused',
            'session-ended',
            'cross-site-request',
            429,
            503,
          ),
        },
      },
    },
    async (request, reply) => {
      const given = request.body.refresh_token
      if (given !== undefined)
        return sendTokens(reply, deps, await refreshTokens(deps, given, describeRequest(request)), false)
      return refreshByCookie(deps, request, reply)
    },
  )
  app.post(
    '/api/v1/tokens/revoke',
    {
      config: { access: 'public', isVital: true },
      preValidation: readEmptyBody,
      schema: {
        tags,
        operationId: 'revokeTokens',
        summary: 'Sign out',
        description:
          'Ends the session of the refresh token. The answer is the same for tokens that are none (RFC 7009).',
        body: RefreshRequest,
        response: { 204: Type.Null(), ...problemResponses(400, 'cross-site-request', 503) },
      },
    },
    async (request, reply) => {
      const given = request.body.refresh_token
      if (given === undefined) await signOutByCookie(deps, request, reply)
      else await revokeTokens(deps, given, describeRequest(request))
      return reply.code(204).send(null)
    },
  )
  app.post(
    '/api/v1/tokens/tenant',
    {
      config: { access: {} },
      schema: {
        tags: ['Other tenants'],
        operationId: 'createTenantTokens',
        summary: 'Get tokens for another tenant',
        description:
          'Opens a session in a tenant in which the person has a membership; platform staff may enter any tenant, which is audited there. The new session keeps the methods and the time of the sign-in, and ends with it at the latest.',
        body: TenantTokenRequest,
        response: {
          200: TokenAnswer,
          ...problemResponses(400, 401, 'password-change-required', 'cross-site-request', 'tenant-not-found', 503),
        },
      },
    },
    async (request, reply) => {
      const facts = describeRequest(request)
      const self = await findSelf(deps, request.principal, facts)
      const answer = await enterOtherTenant(deps, self, request.body.tenant_id as TenantId, facts)
      // As the token came, so do the next ones.
      return sendTokens(reply, deps, answer, !hasBearer(request))
    },
  )
}

/** Whoever holds the token in a cookie has nothing to send. */
async function readEmptyBody(request: { body: unknown }): Promise<void> {
  if (request.body === undefined) request.body = {}
}
