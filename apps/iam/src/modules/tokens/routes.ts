import { type App, problemResponses } from '@signet/http'
import { problem, type SessionId, type TenantId, type UserId } from '@signet/kernel'
import { Type } from 'typebox'
import type { Deps } from '../../deps.ts'
import { describeRequest } from '../../request-facts.ts'
import { clearTokens, sendTokens } from './token-cookies.ts'
import { RefreshRequest, TenantTokenRequest, TokenAnswer } from './schema.ts'
import { enterOtherTenant, refreshTokens, revokeTokens } from './service.ts'

const tags = ['Tokens']

export function serveTokens(app: App, deps: Deps): void {
  app.post(
    '/api/v1/tokens/refresh',
    {
      config: { access: 'public' },
      schema: {
        tags,
        summary: 'Refresh the tokens of a session',
        description:
          'Spends the refresh token and gives the next pair. Repeated within ten seconds it gives the same refresh token again; later it is taken for theft and ends the session.',
        body: RefreshRequest,
        response: { 200: TokenAnswer, ...problemResponses(400, 401, 503) },
      },
    },
    async (request, reply) => {
      const given = request.body?.refresh_token
      const text = given ?? request.cookies[`${deps.cookies.prefix}refresh_token`]
      if (text === undefined) throw problem('invalid-refresh-token')
      const answer = await refreshTokens(deps, text, describeRequest(request))
      return sendTokens(reply, deps, answer, given === undefined)
    },
  )
  app.post(
    '/api/v1/tokens/revoke',
    {
      config: { access: 'public' },
      schema: {
        tags,
        summary: 'Sign out',
        description:
          'Ends the session of the refresh token. The answer is the same for tokens that are none (RFC 7009).',
        body: RefreshRequest,
        response: { 204: Type.Null(), ...problemResponses(400, 503) },
      },
    },
    async (request, reply) => {
      const text = request.body?.refresh_token ?? request.cookies[`${deps.cookies.prefix}refresh_token`]
      if (text !== undefined) await revokeTokens(deps, text, describeRequest(request))
      if (request.body?.refresh_token === undefined) clearTokens(reply, deps)
      return reply.code(204).send(null)
    },
  )
  app.post(
    '/api/v1/tokens/tenant',
    {
      config: { access: {} },
      schema: {
        tags,
        summary: 'Get tokens for another tenant',
        description:
          'Opens a session in a tenant in which the person has a membership; platform staff may enter any tenant, which is audited there. The new session keeps the methods and the time of the sign-in, and ends with it at the latest.',
        body: TenantTokenRequest,
        response: { 200: TokenAnswer, ...problemResponses(400, 401, 404, 503) },
      },
    },
    async (request, reply) => {
      const { subject, claims } = request.principal
      const actor = { userId: subject as UserId, sessionId: claims.sid as SessionId }
      reply.header('cache-control', 'no-store')
      return enterOtherTenant(deps, actor, request.body.tenant_id as TenantId, describeRequest(request))
    },
  )
}
