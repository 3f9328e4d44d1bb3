import { type App, problemResponses, requireServiceKey, type ServiceKeyring, serviceKeyHolderOf } from '@signet/http'
import { problem } from '@signet/kernel'
import type { Deps } from '../../deps.ts'
import { describeRequest } from '../../request-facts.ts'
import { QueuedEmail, SystemEmailRequest } from './schema.ts'
import { queueSystemEmail } from './service.ts'

export function serveSystemEmails(app: App, deps: Deps, serviceKeys: ServiceKeyring): void {
  app.post(
    '/api/v1/system-emails',
    {
      config: { access: 'public', serviceKey: true, perMinute: 600 },
      onRequest: requireServiceKey(serviceKeys),
      schema: {
        tags: ['Services'],
        operationId: 'sendSystemEmail',
        summary: 'Send a mail for another service',
        description:
          'To one recipient, from the sender of this installation. It is queued: an answer says that it will be sent, not that it was.',
        body: SystemEmailRequest,
        response: {
          202: QueuedEmail,
          ...problemResponses(400, 'invalid-service-key', 413, 415, 429, 503, 'not-ready'),
        },
      },
    },
    async (request, reply) => {
      const holder = serviceKeyHolderOf(request)
      if (holder === undefined) throw problem('invalid-service-key')
      const caller = { ...holder, request: describeRequest(request) }
      return reply.code(202).send(await queueSystemEmail(deps, caller, request.body))
    },
  )
}
