/** A hash as another system has stored it, read and within the bounds of what we are ready to compute. */
export interface StoredHash {
  /** Compares in constant time, on another thread. */
  verify(password: string): Promise<boolean>
}

/** Undefined for a text that is not of this format. @throws HashFault when it is, and cannot be used */
export type HashReader = (text: string) => StoredHash | undefined

/** Why a hash cannot be used. Its message is for whoever brought it, and holds nothing of the hash but its parameters. */
export class HashFault extends Error {
  override readonly name = 'HashFault'
}

/**
 * What is checked at a sign-in takes a lane of the hashing for as long, so that no import may bring more work than this.
 * @throws HashFault
 */
export function assertWithin(name: string, value: number, least: number, most: number): void {
  if (Number.isSafeInteger(value) && value >= least && value <= most) return
  throw new HashFault(`${name} has to be between ${least} and ${most}`)
}

/** Base64 of any kind without padding. Undefined where letters stand that it does not have, or bits that it does not need. */
export function decodeBase64(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64')
  return bytes.toString('base64').replace(/=+$/, '') === text ? bytes : undefined
}
