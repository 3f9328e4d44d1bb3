import type { Clock } from '@signet/kernel'
import type { Channel, Transport } from './transport.ts'
import type { EventOptions } from './transports/event.ts'
import type { Fast2SmsOptions } from './transports/fast2sms.ts'
import { createFileTransport } from './transports/file.ts'
import type { SmtpSettings } from './transports/smtp.ts'
import type { TwilioOptions } from './transports/twilio.ts'
import type { WebhookOptions } from './transports/webhook.ts'

/** How each channel leaves. */
export interface DeliverySettings {
  /** Where messages go that leave as files. */
  readonly folder: string
  readonly email: { readonly by: 'file' } | ({ readonly by: 'smtp' } & SmtpSettings)
  readonly sms:
    | { readonly by: 'file' }
    | ({ readonly by: 'fast2sms' } & Fast2SmsOptions)
    | ({ readonly by: 'twilio' } & TwilioOptions)
    | ({ readonly by: 'webhook' } & Omit<WebhookOptions, 'clock'>)
  /** Undefined where no service takes them. */
  readonly events: EventOptions | undefined
}

/** Loads what is used, and connects to nothing yet. */
export async function openTransports(
  { folder, email, sms, events }: DeliverySettings,
  clock: Clock,
): Promise<Readonly<Partial<Record<Channel, Transport>>>> {
  return {
    email:
      email.by === 'file'
        ? createFileTransport(folder)
        : (await import('./transports/smtp.ts')).createSmtpTransport(email),
    sms: await openSms(sms, folder, clock),
    ...(events === undefined ? {} : { event: (await import('./transports/event.ts')).createEventSender(events) }),
  }
}

async function openSms(sms: DeliverySettings['sms'], folder: string, clock: Clock): Promise<Transport> {
  if (sms.by === 'fast2sms') return (await import('./transports/fast2sms.ts')).createFast2Sms(sms)
  if (sms.by === 'twilio') return (await import('./transports/twilio.ts')).createTwilio(sms)
  if (sms.by === 'webhook') return (await import('./transports/webhook.ts')).createWebhook({ ...sms, clock })
  return createFileTransport(folder)
}
