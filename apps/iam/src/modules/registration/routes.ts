import { passwordProblems } from '@signet/accounts'
import { type App, problemResponses } from '@signet/http'
import type { Deps } from '../../deps.ts'
import { describeRequest } from '../../request-facts.ts'
import { RegisteredUser, RegistrationRequest } from './schema.ts'
import { registerUser } from './service.ts'

export function serveRegistration(app: App, deps: Deps): void {
  app.post(
    '/api/v1/users',
    {
      config: { access: 'public', perMinute: 20 },
      schema: {
        tags: ['Sign in'],
        operationId: 'registerUser',
        summary: 'Create an account for oneself',
        description:
          'In the tenant of `tenant`, else in the default one, where it allows self-registration. The password has to be long enough, uncommon, and without the words of its owner; no kinds of characters are asked for.',
        body: RegistrationRequest,
        response: {
          201: RegisteredUser,
          ...problemResponses(
            400,
            ...passwordProblems,
            'registration-closed',
            'email-taken',
            'username-taken',
            'phone-taken',
            429,
            503,
            'hashing-busy',
          ),
        },
      },
    },
    async (request, reply) => reply.code(201).send(await registerUser(deps, request.body, describeRequest(request))),
  )
}
