/** Short keys in the address: worth something only beside a token of ours (modules/refresh-keys). */
import type { App } from '@signet/http'
import { problem, type SessionId, type TenantId, type UserId } from '@signet/kernel'
import { AuthError } from '@signet/verifier'
import { Type } from 'typebox'
import type { Deps } from '../../deps.ts'
import { renewByKey, setSessionKey } from '../../modules/refresh-keys/index.ts'
import { findSelfInPerson } from '../../modules/sessions/index.ts'
import { verifyExpired } from '../../own-verifier.ts'
import { describeRequest } from '../../request-facts.ts'
import { DetailAndToken, failures, pointTo, tags } from './answers.ts'

const Detail = Type.Object({ detail: Type.String({ examples: ['Refresh key set'] }) })
const key = { examples: ['483920175564'] }
const Digits = Type.String({ pattern: '^[0-9]{4,128}$', description: 'Digits only, at least four', ...key })

export function serveShortKeys(scope: App, deps: Deps): void {
  scope.post(
    '/user/access/setrefreshkey/:new_key',
    {
      config: { access: {} },
      schema: {
        tags,
        operationId: 'setSessionKey',
        summary: 'Set or change the refresh key',
        description:
          'Sets a key where there is none; changes it with the old one. It is worth something only beside an access token of a living session. Instead: PUT /api/v1/me/refresh-key.',
        deprecated: true,
        params: Type.Object({ new_key: Digits }),
        querystring: Type.Object({ old_key: Type.Optional(Type.String({ maxLength: 128 })) }),
        response: { 200: Detail, ...failures(401, 403, 422, 503) },
      },
    },
    async (request, reply) => {
      reply.headers(pointTo('/api/v1/me/refresh-key'))
      const facts = describeRequest(request)
      const self = await findSelfInPerson(deps, request.principal, facts)
      const { params, query } = request
      const isSet = await setSessionKey(deps, self, { newKey: params.new_key, oldKey: query.old_key }, facts)
      if (!isSet) throw problem('invalid-credentials', "Old key didn't match")
      return { detail: 'Refresh key set' }
    },
  )
  scope.post(
    '/user/access/regeneratetoken/:refresh_key',
    {
      config: { access: 'public', perMinute: 60 },
      schema: {
        tags,
        operationId: 'regenerateToken',
        summary: 'Get a new token for an expired one',
        description:
          'The expired access token is sent as the bearer, its session has to be alive still, and five wrong keys in a row end it. Instead: POST /api/v1/tokens/refresh-key.',
        deprecated: true,
        params: Type.Object({ refresh_key: Type.String({ minLength: 1, maxLength: 128, ...key }) }),
        response: { 200: DetailAndToken, ...failures(401, 403, 422, 429, 503) },
      },
    },
    async (request, reply) => {
      reply.headers(pointTo('/api/v1/tokens/refresh-key'))
      const { subject, tenant, claims } = verifyExpired(deps, bearerOf(request.headers.authorization))
      if (claims.sid === undefined) throw new AuthError('invalid_claims')
      if (claims.exp * 1_000 > deps.clock()) throw problem('forbidden', 'The token has not expired yet')
      const session = {
        userId: subject as UserId,
        tenantId: tenant as TenantId,
        sessionId: claims.sid as SessionId,
      }
      const renewed = await renewByKey(deps, session, request.params.refresh_key, describeRequest(request))
      if (renewed === 'no-key') throw problem('forbidden', 'No refresh key is set')
      if (renewed === 'refused') throw problem('invalid-credentials', "Refresh key didn't match")
      return { detail: 'Token regenerated', token: renewed.token }
    },
  )
}

/** @throws AuthError `missing_token` */
function bearerOf(authorization: string | undefined): string {
  const token = /^Bearer +(\S+)$/i.exec(authorization ?? '')?.[1]
  if (token === undefined) throw new AuthError('missing_token')
  return token
}
