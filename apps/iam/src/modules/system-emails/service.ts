import { recordAudit } from '@signet/accounts'
import { inTenant } from '@signet/db'
import type { MessageData } from '@signet/delivery'
import { authorize, type InputFault, problem } from '@signet/kernel'
import type { Deps } from '../../deps.ts'
import { type CallingService, systemEmailPolicy } from './policy.ts'
import { findPlatformTenant } from './repo.ts'
import type { QueuedEmail, SystemEmailRequest } from './schema.ts'

/**
 * Queues a mail in the words of another service. The audit knows which key asked and for whom, not what was said.
 * @throws Problem `invalid-input`, `not-ready`
 */
export async function queueSystemEmail(
  deps: Deps,
  caller: CallingService,
  body: SystemEmailRequest,
): Promise<QueuedEmail> {
  const data = readWords(body)
  const recipient = (body.to ?? deps.adminEmail)?.toLowerCase()
  if (recipient === undefined) {
    throw invalid([{ pointer: '/to', message: 'is required: this installation has no ADMIN_EMAIL' }])
  }
  const id = await findPlatformTenant(deps.database)
  if (id === undefined) throw problem('not-ready', 'The installation has no first administrator yet.')
  const { resource: platform } = authorize(systemEmailPolicy, 'system-emails:create', caller, { id })
  return inTenant(deps.database, platform.id, async tx => {
    const messageId = await deps.outbox.enqueue(tx, {
      channel: 'email',
      recipient,
      userId: null,
      template: 'system',
      data,
    })
    await recordAudit(tx, {
      action: 'system-email.queued',
      actor: null,
      targetType: 'message',
      targetId: messageId,
      after: { recipient, service_key: caller.keyFingerprint },
      request: caller.request,
    })
    return { id: messageId }
  })
}

/** @throws Problem `invalid-input` where there is neither text nor html */
function readWords({ subject, text, html, reply_to: replyTo }: SystemEmailRequest): MessageData['system'] {
  if (text === undefined && html === undefined) {
    throw invalid(['/text', '/html'].map(pointer => ({ pointer, message: 'one of text and html is required' })))
  }
  return {
    subject,
    ...(text === undefined ? {} : { text }),
    ...(html === undefined ? {} : { html }),
    ...(replyTo === undefined ? {} : { replyTo }),
  }
}

function invalid(errors: InputFault[]) {
  return problem('invalid-input', undefined, { errors })
}
