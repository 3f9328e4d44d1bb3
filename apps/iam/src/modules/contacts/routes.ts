import { type App, problemResponses } from '@signet/http'
import { Type } from 'typebox'
import type { Deps } from '../../deps.ts'
import { describeRequest } from '../../request-facts.ts'
import { findSelfInPerson } from '../sessions/index.ts'
import { ContactConfirmation, ContactRequest, ContactRequested } from './schema.ts'
import { confirmContact, requestContact } from './service.ts'

const tags = ['Your own account']
const requested = { message: 'If a code can be sent there, it is on its way.' }

export function serveContacts(app: App, deps: Deps): void {
  app.post(
    '/api/v1/me/contacts',
    {
      config: { access: {} },
      schema: {
        tags,
        operationId: 'requestContactChange',
        summary: 'Verify or change my e-mail address or phone number',
        description:
          'Sends a code to it. At most one a minute, five an hour and ten a day. The answer is always the same.',
        body: ContactRequest,
        response: {
          202: ContactRequested,
          ...problemResponses(400, 401, 'acting-for-somebody', 'password-change-required', 'cross-site-request', 503),
        },
      },
    },
    async (request, reply) => {
      const facts = describeRequest(request)
      await requestContact(deps, await findSelfInPerson(deps, request.principal, facts), request.body, facts)
      return reply.code(202).send(requested)
    },
  )
  app.post(
    '/api/v1/me/contacts/confirm',
    {
      config: { access: {} },
      schema: {
        tags,
        operationId: 'confirmContactChange',
        summary: 'Confirm it with the code',
        description: 'A verified address that is replaced gets a notice. Five guesses.',
        body: ContactConfirmation,
        response: {
          204: Type.Null(),
          ...problemResponses(
            400,
            'invalid-code',
            401,
            'acting-for-somebody',
            'password-change-required',
            'cross-site-request',
            'email-taken',
            'phone-taken',
            'concurrent-change',
            503,
          ),
        },
      },
    },
    async (request, reply) => {
      const facts = describeRequest(request)
      await confirmContact(deps, await findSelfInPerson(deps, request.principal, facts), request.body, facts)
      return reply.code(204).send(null)
    },
  )
}
