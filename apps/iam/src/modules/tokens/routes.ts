import { type App, hasBearer, problemResponses } from '@signet/http'
import { Problem, problem, type TenantId } from '@signet/kernel'
import { Type } from 'typebox'
import type { Deps } from '../../deps.ts'
import { describeRequest } from '../../request-facts.ts'
import { findSelf } from '../sessions/index.ts'
import { clearTokens, sendTokens, tokenCookies } from './token-cookies.ts'
import { RefreshRequest, TenantTokenRequest, TokenAnswer } from './schema.ts'
import { enterOtherTenant, refreshTokens, revokeTokens } from './service.ts'

const tags = ['Tokens']

export function serveTokens(app: App, deps: Deps): void {
  const refreshCookie = `${deps.cookies.prefix}refresh_token`
  app.post(
    '/api/v1/tokens/refresh',
    {
      config: { access: 'public', perMinute: 600 },
      preValidation: readEmptyBody,
      schema: {
        tags,
        operationId: 'refreshTokens',
        summary: 'Refresh the tokens of a session',
        description:
          'Spends the refresh token and gives the next pair. Repeated within ten seconds it gives the same refresh token again; later it is taken for theft and ends the session.',
        body: RefreshRequest,
        response: { 200: TokenAnswer, ...problemResponses(400, 401, 403, 429, 503) },
      },
    },
    async (request, reply) => {
      const given = request.body.refresh_token
      if (given !== undefined)
        return sendTokens(reply, deps, await refreshTokens(deps, given, describeRequest(request)), false)
      const text = request.cookies[refreshCookie]
      if (text === undefined) throw problem('invalid-refresh-token')
      try {
        return sendTokens(reply, deps, await refreshTokens(deps, text, describeRequest(request)), true)
      } catch (error) {
        // A cookie that will never be good again would be sent with every request until it expires.
        if (error instanceof Problem && error.status === 401) clearTokens(reply, deps)
        throw error
      }
    },
  )
  app.post(
    '/api/v1/tokens/revoke',
    {
      config: { access: 'public' },
      preValidation: readEmptyBody,
      schema: {
        tags,
        operationId: 'revokeTokens',
        summary: 'Sign out',
        description:
          'Ends the session of the refresh token. The answer is the same for tokens that are none (RFC 7009).',
        body: RefreshRequest,
        response: { 204: Type.Null(), ...problemResponses(400, 403, 503) },
      },
    },
    async (request, reply) => {
      const given = request.body.refresh_token
      const text = given ?? request.cookies[refreshCookie]
      if (text !== undefined) await revokeTokens(deps, text, describeRequest(request))
      // Nobody else's page can make a browser forget cookies that it does not send along.
      const hasCookies = tokenCookies(deps.cookies).some(name => request.cookies[name] !== undefined)
      if (given === undefined && hasCookies) clearTokens(reply, deps)
      return reply.code(204).send(null)
    },
  )
  app.post(
    '/api/v1/tokens/tenant',
    {
      config: { access: {} },
      schema: {
        tags,
        operationId: 'createTenantTokens',
        summary: 'Get tokens for another tenant',
        description:
          'Opens a session in a tenant in which the person has a membership; platform staff may enter any tenant, which is audited there. The new session keeps the methods and the time of the sign-in, and ends with it at the latest.',
        body: TenantTokenRequest,
        response: { 200: TokenAnswer, ...problemResponses(400, 401, 403, 404, 503) },
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
