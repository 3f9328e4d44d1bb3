/**
 * Mobile numbers as callers of scalable-auth write them. Their codes went out by Fast2SMS, which serves India alone: ten digits
 * are a number there, with 91 before them as well. All others carry their country code after a plus.
 */
import { normalizePhone } from '@signet/accounts'
import { problem } from '@signet/kernel'

const indianMobile = /^(?:91)?([6-9]\d{9})$/

/** In E.164. @param pointer to the member, for the fault @throws Problem `invalid-input` */
export function readNumber(text: string, pointer: string): string {
  const digits = indianMobile.exec(text.replace(/[\s().-]/g, ''))?.[1]
  const number = normalizePhone(digits === undefined ? text : `+91${digits}`)
  if (number !== undefined) return number
  const message = 'must be a mobile number: ten digits of India, or a plus and the country code'
  throw problem('invalid-input', undefined, { errors: [{ pointer, message }] })
}
