import type { PasswordHasher } from './password-hasher.ts'
import { checkPassword, wordsAbout } from './password-rules.ts'

/** What both apps hash passwords with. */
export interface PasswordDeps {
  readonly hasher: PasswordHasher
  readonly passwordMinLength: number
}

/**
 * The hash of a password that somebody chose for a new person. It belongs before the transaction of the creation: hashing would
 * hold a connection for as long as it takes.
 * @throws Problem `password-…`, `hashing-busy`
 */
export async function hashNewPassword(
  { hasher, passwordMinLength: minLength }: PasswordDeps,
  password: string,
  person: Parameters<typeof wordsAbout>[0],
): Promise<string> {
  checkPassword(password, { minLength, ownWords: wordsAbout(person) })
  return hasher.hash(password)
}
