import { type App, problemResponses } from '@signet/http'
import type { Deps } from '../../deps.ts'
import { describeRequest } from '../../request-facts.ts'
import { sendTokens, TokenAnswer } from '../tokens/index.ts'
import { CodeRequestBody, CodeRequested, CodeVerification } from './schema.ts'
import { requestSignInCode, signInByCode } from './sign-in-by-code.ts'

const tags = ['Sign in with a code']
const requested = { message: 'If a code can be sent there, it is on its way.' }

export function serveOtp(app: App, deps: Deps): void {
  app.post(
    '/api/v1/otp/requests',
    {
      config: { access: 'public', perMinute: 30 },
      schema: {
        tags,
        operationId: 'requestSignInCode',
        summary: 'Ask for a sign-in code',
        description:
          'By e-mail or SMS: six digits, of which the newest works. At most one a minute, five an hour and ten a day. The answer is the same for every address.',
        body: CodeRequestBody,
        response: { 202: CodeRequested, ...problemResponses(400, 429, 503) },
      },
    },
    async (request, reply) => {
      await requestSignInCode(deps, request.body, describeRequest(request))
      return reply.code(202).send(requested)
    },
  )
  app.post(
    '/api/v1/otp/verifications',
    {
      config: { access: 'public', perMinute: 60 },
      schema: {
        tags,
        operationId: 'verifySignInCode',
        summary: 'Sign in with a code',
        description:
          'Whoever has no account yet gets one, where the tenant allows self-registration. Five guesses; whatever is wrong, the answer is the same. The code shows that the address is the person’s: where it was not verified before, a password that somebody may have set beforehand is removed and all sessions end, unless the device is known.',
        body: CodeVerification,
        response: {
          200: TokenAnswer,
          ...problemResponses(400, 'invalid-code', 'registration-closed', 'cross-site-request', 429, 503),
        },
      },
    },
    async (request, reply) => {
      const answer = await signInByCode(deps, request.body, describeRequest(request))
      return sendTokens(reply, deps, answer, request.body.cookies)
    },
  )
}
