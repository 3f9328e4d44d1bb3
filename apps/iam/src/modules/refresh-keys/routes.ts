import { type App, problemResponses } from '@signet/http'
import { Type } from 'typebox'
import type { Deps } from '../../deps.ts'
import { describeRequest } from '../../request-facts.ts'
import { findSelfInPerson } from '../sessions/index.ts'
import { sendTokens, TokenAnswer } from '../tokens/index.ts'
import { RefreshKeyChange, RefreshKeySignIn } from './schema.ts'
import { removeRefreshKey, setRefreshKey, signInByKey } from './service.ts'

const tags = ['Refresh keys']

export function serveRefreshKeys(app: App, deps: Deps): void {
  app.put(
    '/api/v1/me/refresh-key',
    {
      config: { access: {} },
      schema: {
        tags,
        operationId: 'setRefreshKey',
        summary: 'Set my refresh key',
        description:
          'A long-lived secret that gets tokens without a password or a code. It takes the place of the former one, and is gone when the password changes or the person is suspended.',
        body: RefreshKeyChange,
        response: {
          204: Type.Null(),
          ...problemResponses(
            400,
            'password-too-common',
            'password-own-words',
            401,
            'acting-for-somebody',
            'password-change-required',
            'cross-site-request',
            503,
            'hashing-busy',
          ),
        },
      },
    },
    async (request, reply) => {
      const self = await findSelfInPerson(deps, request.principal, describeRequest(request))
      await setRefreshKey(deps, self, request.body.key)
      return reply.code(204).send(null)
    },
  )
  app.delete(
    '/api/v1/me/refresh-key',
    {
      config: { access: {} },
      schema: {
        tags,
        operationId: 'removeRefreshKey',
        summary: 'Take my refresh key away',
        description: 'The answer is the same where there is none. Sessions that it has opened live on.',
        response: {
          204: Type.Null(),
          ...problemResponses(401, 'acting-for-somebody', 'password-change-required', 'cross-site-request', 503),
        },
      },
    },
    async (request, reply) => {
      await removeRefreshKey(deps, await findSelfInPerson(deps, request.principal, describeRequest(request)))
      return reply.code(204).send(null)
    },
  )
  app.post(
    '/api/v1/tokens/refresh-key',
    {
      config: { access: 'public', perMinute: 60 },
      schema: {
        tags,
        operationId: 'createTokensByRefreshKey',
        summary: 'Sign in with a refresh key',
        description:
          'As with a password, under the same limits; whatever is wrong, the answer is the same. Keys of fewer than 16 characters, which an older system set, open nothing here.',
        body: RefreshKeySignIn,
        response: {
          200: TokenAnswer,
          ...problemResponses(
            400,
            'invalid-credentials',
            'cross-site-request',
            429,
            'too-many-attempts',
            503,
            'hashing-busy',
          ),
        },
      },
    },
    async (request, reply) => {
      const answer = await signInByKey(deps, request.body, describeRequest(request))
      return sendTokens(reply, deps, answer, request.body.cookies)
    },
  )
}
