/**
 * Routes of eng-identity (CONTRACT section 5). Every answer carries `ok`, failures `{ ok: false, error }`; unknown members are
 * ignored.
 */
import type { App } from '@signet/http'
import type { ProblemDocument } from '@signet/kernel'
import { Type } from 'typebox'
import type { Deps } from '../deps.ts'
import { inviteClient, Purpose } from '../modules/client-tokens/index.ts'
import { findSelfInPerson } from '../modules/sessions/index.ts'
import { Email, PersonName } from '../person-fields.ts'
import { describeRequest } from '../request-facts.ts'

const Done = Type.Object({
  ok: Type.Literal(true),
  message: Type.String({ examples: ['An invitation token has been sent to ada@example.com'] }),
})
const Failed = Type.Object({
  ok: Type.Literal(false),
  error: Type.String({ description: 'What is wrong, in words', examples: ['client_email is required'] }),
})

/** Call it in a scope of its own: whatever fails there is answered in the form of eng-identity. */
export function serveEngIdentity(scope: App, deps: Deps): void {
  answerFailures(scope)
  scope.post(
    '/api/v1/advisor/request-client-token',
    {
      config: { access: {} },
      schema: {
        tags: ['eng-identity'],
        operationId: 'inviteClient',
        summary: 'Invite a client by mail',
        description:
          'Mails a token that is valid for seven days and is redeemed once at `POST /auth/client-token`. A new one takes the place of the former one to the same address.',
        body: Type.Object({ client_name: PersonName, client_email: Email, reason: Purpose }),
        response: { 200: Done, ...failures(400, 401, 403, 429, 503) },
      },
    },
    async request => {
      const { client_name: name, client_email: email, reason: purpose } = request.body
      const self = await findSelfInPerson(deps, request.principal, describeRequest(request))
      await inviteClient(deps, self, { name, email, purpose })
      return { ok: true as const, message: `An invitation token has been sent to ${email}` }
    },
  )
}

function failures(...statuses: readonly number[]) {
  const content = { 'application/json': { schema: Failed } }
  return Object.fromEntries(statuses.map(status => [status, { description: 'Failed', content }]))
}

/** One place for all of them: what the guard, the validator and the services throw has become a problem document by then. */
function answerFailures(scope: App): void {
  scope.addHook('onSend', async (_request, reply, payload) => {
    const type = String(reply.getHeader('content-type'))
    if (typeof payload !== 'string' || !type.startsWith('application/problem+json')) return payload
    const { detail, errors } = JSON.parse(payload) as ProblemDocument
    const faults = errors?.map(({ pointer, message }) => `${pointer.slice(1)} ${message}`.trim())
    reply.type('application/json; charset=utf-8')
    return JSON.stringify({ ok: false, error: faults?.join('; ') ?? detail })
  })
}
