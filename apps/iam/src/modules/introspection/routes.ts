import { type App, requireServiceKey, type ServiceKeyring } from '@signet/http'
import type { Verifier } from '@signet/verifier'
import type { Deps } from '../../deps.ts'
import { describeRequest } from '../../request-facts.ts'
import { Introspection, Nothing, OAuthError, TokenForm } from './schema.ts'
import { introspectToken, revokeToken } from './service.ts'

const consumes = ['application/x-www-form-urlencoded']

/** Belongs into a scope that speaks OAuth. */
export function serveIntrospection(
  app: App,
  deps: Deps,
  verifier: Pick<Verifier, 'verify'>,
  serviceKeys: ServiceKeyring,
): void {
  const requireKey = requireServiceKey(serviceKeys)
  app.post(
    '/oauth2/introspect',
    {
      config: { access: 'public', serviceKey: true, perMinute: 6_000, isVital: true },
      onRequest: requireKey,
      schema: {
        tags: ['Services'],
        operationId: 'introspectToken',
        summary: 'What is this token worth now? (RFC 7662)',
        description: 'For services that cannot verify offline, or have to know at once. It spends nothing.',
        consumes,
        body: TokenForm,
        response: { 200: Introspection, 400: OAuthError, 401: OAuthError, 413: OAuthError, 503: OAuthError },
      },
    },
    async (request, reply) => {
      reply.header('cache-control', 'no-store')
      return introspectToken(deps, verifier, request.body.token)
    },
  )
  app.post(
    '/oauth2/revoke',
    {
      config: { access: 'public', perMinute: 60, isVital: true },
      // The token is proof enough that it may be ended. Whoever shows a key has to show one that counts.
      onRequest: async function requireKeyIfShown(request, reply) {
        if (request.headers['x-api-key'] !== undefined) await requireKey.call(this, request, reply)
      },
      schema: {
        tags: ['Stay signed in and sign out'],
        operationId: 'revokeToken',
        summary: 'End the session of a token (RFC 7009)',
        description: 'Takes an access or a refresh token. The answer is the same for what is no token.',
        consumes,
        body: TokenForm,
        response: { 200: Nothing, 400: OAuthError, 401: OAuthError, 413: OAuthError, 503: OAuthError },
      },
    },
    async (request, reply) => {
      await revokeToken(deps, verifier, request.body.token, describeRequest(request))
      return reply.header('cache-control', 'no-store').send('')
    },
  )
}
