/** The code by SMS, and people who sign in with it. Number and code stand in the address. */
import type { App } from '@signet/http'
import { Type } from 'typebox'
import type { Deps } from '../../deps.ts'
import { requestSignInCode } from '../../modules/otp/index.ts'
import { describeRequest } from '../../request-facts.ts'
import { DetailAndToken, failures, pointTo, tags } from './answers.ts'
import { readNumber } from './numbers.ts'
import { enterByCode } from './sign-in.ts'

const NumberText = Type.String({
  minLength: 1,
  maxLength: 40,
  description: 'Ten digits of India, or a plus and the country code',
  examples: ['+919876543210'],
})

export function serveCodes(scope: App, deps: Deps): void {
  scope.post(
    '/auth/otp/sendotp/:number',
    {
      config: { access: 'public', perMinute: 30 },
      schema: {
        tags,
        operationId: 'sendOtp',
        summary: 'Send a code by SMS',
        description:
          'The answer is the same for every number: at most one code a minute, five an hour and ten a day go out. Instead: POST /api/v1/otp/requests.',
        deprecated: true,
        params: Type.Object({ number: NumberText }),
        response: {
          200: Type.Object({ detail: Type.String({ examples: ['OTP sent'] }) }),
          ...failures(422, 429, 503),
        },
      },
    },
    async (request, reply) => {
      reply.headers(pointTo('/api/v1/otp/requests'))
      await requestSignInCode(deps, { phone: readNumber(request.params.number, '?number') }, describeRequest(request))
      return { detail: 'OTP sent' }
    },
  )
  scope.post(
    '/auth/user/login/:number/:otp',
    {
      config: { access: 'public', perMinute: 60 },
      schema: {
        tags,
        operationId: 'loginUser',
        summary: 'Sign in with a code by SMS',
        description:
          'Whoever has no account yet gets one, where the default tenant takes people in. Instead: POST /api/v1/otp/verifications.',
        deprecated: true,
        params: Type.Object({ number: NumberText, otp: Type.String({ minLength: 1, maxLength: 32 }) }),
        response: { 200: DetailAndToken, ...failures(401, 422, 429, 503) },
      },
    },
    async (request, reply) => {
      reply.headers(pointTo('/api/v1/otp/verifications'))
      const phone = readNumber(request.params.number, '?number')
      return enterByCode(deps, { phone, code: request.params.otp }, describeRequest(request))
    },
  )
}
