import { type App, problemResponses } from '@signet/http'
import type { ClientTokenId } from '@signet/kernel'
import { Type } from 'typebox'
import type { Deps } from '../../deps.ts'
import { describeRequest } from '../../request-facts.ts'
import { findSelfInPerson } from '../sessions/index.ts'
import { sendTokens, TokenAnswer } from '../tokens/index.ts'
import {
  ClientTokenPage,
  ClientTokenPath,
  ClientTokenQuery,
  ClientTokenRequest,
  CreatedClientToken,
  Redemption,
} from './schema.ts'
import { createClientToken, listOwnTokens, redeemToken, withdrawOwnToken } from './service.ts'

const tags = ['Advisors']
// All in person: a token that was made while acting for somebody would be a way to act for their clients too.
const config = { access: {} }

export function serveClientTokens(app: App, deps: Deps): void {
  app.post(
    '/api/v1/advisor/client-tokens',
    {
      config,
      schema: {
        tags,
        operationId: 'createClientToken',
        summary: 'Open a door for one of my clients',
        description:
          'A token that opens one session of a person who is assigned to you, in which you act for them (`act`) for a day at most. Needs the role `advisor`, and all that the person holds.',
        body: ClientTokenRequest,
        response: {
          201: CreatedClientToken,
          ...problemResponses(
            400,
            401,
            403,
            'grant-exceeds-own',
            'acting-for-somebody',
            'password-change-required',
            'cross-site-request',
            'user-not-found',
            503,
          ),
        },
      },
    },
    async (request, reply) => {
      const self = await findSelfInPerson(deps, request.principal, describeRequest(request))
      const made = await createClientToken(deps, self, request.body)
      return reply.code(201).header('cache-control', 'no-store').send(made)
    },
  )
  app.get(
    '/api/v1/advisor/client-tokens',
    {
      config,
      schema: {
        tags,
        operationId: 'listClientTokens',
        summary: 'List the tokens and invitations that I have made',
        description: 'The newest first, those that are over included; never the token itself.',
        querystring: ClientTokenQuery,
        response: {
          200: ClientTokenPage,
          ...problemResponses(400, 'invalid-cursor', 401, 403, 'acting-for-somebody', 'password-change-required', 503),
        },
      },
    },
    async request =>
      listOwnTokens(deps, await findSelfInPerson(deps, request.principal, describeRequest(request)), request.query),
  )
  app.delete(
    '/api/v1/advisor/client-tokens/:id',
    {
      config,
      schema: {
        tags,
        operationId: 'removeClientToken',
        summary: 'Withdraw a token or an invitation',
        description:
          'It opens nothing any more. A session that it has opened goes on: the client ends it, or whoever takes the client or the role away.',
        params: ClientTokenPath,
        response: {
          204: Type.Null(),
          ...problemResponses(
            400,
            401,
            403,
            'acting-for-somebody',
            'password-change-required',
            'cross-site-request',
            'client-token-not-found',
            503,
          ),
        },
      },
    },
    async (request, reply) => {
      const self = await findSelfInPerson(deps, request.principal, describeRequest(request))
      await withdrawOwnToken(deps, self, request.params.id as ClientTokenId)
      return reply.code(204).send(null)
    },
  )
  app.post(
    '/auth/client-token',
    {
      config: { access: 'public', perMinute: 60 },
      schema: {
        tags,
        operationId: 'redeemClientToken',
        summary: 'Redeem a client token or an invitation',
        description:
          'Exactly once. An access token opens a session of the client in which the advisor acts; an invitation opens a session of the invited person, who is made where there is none. Whatever is wrong, the answer is the same.',
        body: Redemption,
        response: {
          200: TokenAnswer,
          ...problemResponses(400, 'invalid-client-token', 'cross-site-request', 429, 503),
        },
      },
    },
    async (request, reply) => {
      const answer = await redeemToken(deps, request.body.token, describeRequest(request))
      return sendTokens(reply, deps, answer, request.body.cookies)
    },
  )
}
