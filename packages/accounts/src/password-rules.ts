/**
 * What a password has to be: long enough, not on the list of those that everybody tries, not made of the person's own
 * words. No rule about which kinds of characters it holds (NIST SP 800-63B-4 section 3.1.1.2).
 */
import { problem } from '@signet/kernel'
import { dictionary } from '@zxcvbn-ts/language-common'

export interface PasswordRules {
  readonly minLength: number
  /** Names, addresses and numbers of the person; see {@link wordsAbout}. */
  readonly ownWords: readonly string[]
}

const maxCharacters = 128
const maxBytes = 512
/** A shorter word is found in many a good password by chance. */
const shortestOwnWord = 4
const fewestDifferentCharacters = 4

const commonPasswords: ReadonlySet<string> = new Set(dictionary['passwords-common'])

/** What is wrong with one that is refused. */
export const passwordProblems = [
  'password-too-short',
  'password-too-long',
  'password-too-common',
  'password-own-words',
] as const

/** @throws Problem one of {@link passwordProblems} */
export function checkPassword(password: string, { minLength, ownWords }: PasswordRules): void {
  const text = password.normalize('NFC')
  const characters = Array.from(text)
  if (characters.length < minLength) throw problem('password-too-short', `It needs at least ${minLength} characters.`)
  if (characters.length > maxCharacters || Buffer.byteLength(text) > maxBytes) throw problem('password-too-long')
  const folded = fold(text)
  if (isCommon(folded)) throw problem('password-too-common')
  if (ownWords.some(word => word.length >= shortestOwnWord && folded.includes(fold(word))))
    throw problem('password-own-words')
}

/** The words that a person's password must not hold: their names, what stands before the @, and their number. */
export function wordsAbout(person: {
  readonly email?: string | null | undefined
  readonly username?: string | null | undefined
  readonly phone?: string | null | undefined
  readonly name?: string | null | undefined
  readonly firstName?: string | null | undefined
  readonly lastName?: string | null | undefined
}): string[] {
  const mailbox = person.email?.split('@')[0]
  const names = [mailbox, person.username, person.name, person.firstName, person.lastName].filter(
    each => typeof each === 'string',
  )
  const parts = names.flatMap(each => each.split(/[^\p{L}\p{N}]+/u))
  return [...names, ...parts, person.phone?.replace('+', '') ?? ''].filter(word => word !== '')
}

/** On the list, on it but for up to four digits or signs at the end, one straight run, or hardly any letters at all. */
function isCommon(folded: string): boolean {
  if (commonPasswords.has(folded)) return true
  const end = /[^\p{L}]{1,4}$/u.exec(folded)?.[0].length ?? 0
  for (let cut = 1; cut <= end; cut += 1) {
    if (commonPasswords.has(folded.slice(0, -cut))) return true
  }
  const codes = Array.from(folded, character => character.codePointAt(0) ?? 0)
  const steps = new Set(codes.slice(1).map((code, index) => code - (codes[index] ?? 0)))
  const [step = 0] = steps
  return (steps.size === 1 && Math.abs(step) <= 1) || new Set(codes).size < fewestDifferentCharacters
}

function fold(text: string): string {
  return text.normalize('NFKC').toLowerCase()
}
