/** How somebody is reached, out of what they wrote. */
import { normalizePhone } from '@signet/accounts'
import { problem } from '@signet/kernel'

export interface Contact {
  readonly channel: 'email' | 'sms'
  /** An e-mail address in lower case, or a number in E.164. */
  readonly destination: string
}

/** @throws Problem `invalid-input` unless there is exactly one, and a number has its country code */
export function readContact({ email, phone }: { readonly email?: string; readonly phone?: string }): Contact {
  if (email !== undefined && phone === undefined) return { channel: 'email', destination: email.toLowerCase() }
  if (phone !== undefined && email === undefined) return { channel: 'sms', destination: readPhone(phone) }
  const message = 'send exactly one of email and phone'
  throw problem('invalid-input', undefined, { errors: ['/email', '/phone'].map(pointer => ({ pointer, message })) })
}

/** The number in E.164. @throws Problem `invalid-input` */
export function readPhone(text: string): string {
  const phone = normalizePhone(text)
  if (phone !== undefined) return phone
  const message = 'must be a phone number with + and its country code, e.g. +14155552671'
  throw problem('invalid-input', undefined, { errors: [{ pointer: '/phone', message }] })
}
