import { type App, problemResponses } from '@signet/http'
import type { Deps } from '../../deps.ts'
import { describeRequest } from '../../request-facts.ts'
import { sendTokens, TokenAnswer } from '../tokens/index.ts'
import { createLeaveTogether } from './leave-together.ts'
import { SignInRequest } from './schema.ts'
import { signInByPassword } from './service.ts'

export function serveSignIn(app: App, deps: Deps): void {
  const leaveTogether = createLeaveTogether()
  app.post(
    '/api/v1/tokens',
    {
      config: { access: 'public', perMinute: 60 },
      // Before the body is read: a crowd is sent away for less.
      onRequest: (_request, _reply, done) => {
        const refusal = deps.hasher.refusal()
        if (refusal === undefined) done()
        else leaveTogether(() => done(refusal))
      },
      schema: {
        tags: ['Sign in'],
        operationId: 'createTokens',
        summary: 'Sign in with a password',
        description:
          'Without `tenant` the person lands in their home tenant; platform staff land in the default tenant. Whatever is wrong, the answer is the same.',
        body: SignInRequest,
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
      const answer = await signInByPassword(deps, request.body, describeRequest(request))
      return sendTokens(reply, deps, answer, request.body.cookies)
    },
  )
}
