import { passwordProblems } from '@signet/accounts'
import { type App, problemResponses } from '@signet/http'
import { Type } from 'typebox'
import type { Deps } from '../../deps.ts'
import { describeRequest } from '../../request-facts.ts'
import { findSelfInPerson } from '../sessions/index.ts'
import { confirmReset, requestReset } from './reset.ts'
import { PasswordChange, PasswordReset, PasswordResetRequest, ResetAnswer } from './schema.ts'
import { changePassword } from './service.ts'

const requested = { message: 'If an account with this email exists, a password reset code has been sent.' }
const confirmed = { message: 'The password has been reset.' }

export function servePassword(app: App, deps: Deps): void {
  app.post(
    '/api/v1/password-resets',
    {
      config: { access: 'public', perMinute: 30 },
      schema: {
        tags: ['Lost passwords'],
        operationId: 'requestPasswordReset',
        summary: 'Ask for a code to reset a lost password',
        description:
          'Six digits by e-mail, of which the newest works. At most one a minute, five an hour and ten a day. The answer is the same for every address.',
        body: PasswordResetRequest,
        response: { 200: ResetAnswer, ...problemResponses(400, 429, 503) },
      },
    },
    async request => {
      await requestReset(deps, request.body, describeRequest(request))
      return requested
    },
  )
  app.post(
    '/api/v1/password-resets/confirm',
    {
      config: { access: 'public', perMinute: 60 },
      schema: {
        tags: ['Lost passwords'],
        operationId: 'confirmPasswordReset',
        summary: 'Reset a lost password',
        description:
          'Ends all sessions of the person, takes their refresh key away, opens ways in that too many failures have locked, and mails a notice. Nobody is signed in by it. Whatever is wrong with address or code, the answer is the same; a password that the rules refuse costs no code.',
        body: PasswordReset,
        response: {
          200: ResetAnswer,
          ...problemResponses(400, 'invalid-code', ...passwordProblems, 429, 503, 'hashing-busy'),
        },
      },
    },
    async request => {
      await confirmReset(deps, request.body, describeRequest(request))
      return confirmed
    },
  )
  app.put(
    '/api/v1/me/password',
    {
      config: { access: {} },
      schema: {
        tags: ['Your own account'],
        operationId: 'changePassword',
        summary: 'Change my password',
        description:
          'Ends all other sessions of the person and takes their refresh key away. They get a notice by mail.',
        body: PasswordChange,
        response: {
          204: Type.Null(),
          ...problemResponses(
            400,
            ...passwordProblems,
            401,
            'invalid-credentials',
            'acting-for-somebody',
            'cross-site-request',
            'concurrent-change',
            503,
            'hashing-busy',
          ),
        },
      },
    },
    async (request, reply) => {
      const leave = { beforePasswordChange: true } as const
      const self = await findSelfInPerson(deps, request.principal, describeRequest(request), leave)
      await changePassword(deps, self, request.body)
      return reply.code(204).send(null)
    },
  )
}
