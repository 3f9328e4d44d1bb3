import { parsePhoneNumberFromString } from 'libphonenumber-js/min'

/** Digits and what people write between them. Anything else is a sentence that a number might be found in. */
const written = /^\s*\+[\d\s().\-/]+$/

/**
 * The number in E.164, e.g. `+14155552671` for `+1 (415) 555-2671`. Undefined for what is no possible number, and without the
 * plus and the country code: a national number means another person in each country.
 */
export function normalizePhone(text: string): string | undefined {
  if (!written.test(text)) return undefined
  const number = parsePhoneNumberFromString(text, { extract: false })
  return number?.isPossible() === true ? number.number : undefined
}
