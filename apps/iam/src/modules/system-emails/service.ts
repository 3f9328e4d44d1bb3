import { recordAudit } from '@signet/accounts'
import { inTenant } from '@signet/db'
import { layNotice, type MessageData } from '@signet/delivery'
import { authorize, type Problem, problem } from '@signet/kernel'
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
    throw invalid(['/to'], 'is required: this installation has no ADMIN_EMAIL')
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
      after: { recipient, service: caller.service?.name ?? null, service_key: caller.fingerprint },
      request: caller.request,
    })
    return { id: messageId }
  })
}

/** @throws Problem `invalid-input` where it is neither one's own words nor a template with what fills it */
function readWords(body: SystemEmailRequest): MessageData['system'] {
  const { subject, text, html, reply_to: replyTo, template, data } = body
  const head = { subject, ...(replyTo === undefined ? {} : { replyTo }) }
  const own = { ...(text === undefined ? {} : { text }), ...(html === undefined ? {} : { html }) }
  const given = Object.keys(own)
  if (template === undefined) {
    if (data !== undefined) throw invalid(['/data'], 'fills a template, and none is named')
    if (given.length === 0) throw invalid(['/text', '/html', '/template'], 'one of text, html and template is required')
    return { ...head, ...own }
  }
  if (given.length > 0)
    throw invalid(
      given.map(name => `/${name}`),
      'cannot stand beside a template',
    )
  if (data === undefined) throw invalid(['/data'], 'is required: the template is filled with it')
  const { action_url: url, action_label: label } = data
  if ((url === undefined) !== (label === undefined)) {
    throw invalid(['/data/action_url', '/data/action_label'], 'action_url and action_label go together')
  }
  const action = url === undefined || label === undefined ? {} : { action: { url, label } }
  return { ...head, ...layNotice({ heading: data.heading, body: data.body, ...action }) }
}

function invalid(pointers: readonly string[], message: string): Problem {
  return problem('invalid-input', undefined, { errors: pointers.map(pointer => ({ pointer, message })) })
}
