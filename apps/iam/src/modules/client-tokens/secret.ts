/** A client token: 256 random bits behind a mark by which people and scanners know one that has leaked. Only its hash is kept. */
import { createHash, randomBytes } from 'node:crypto'

const mark = 'sct_'
const secretBytes = 32

export interface ClientSecret {
  /** What is handed out, once. */
  readonly text: string
  /** SHA-256: nobody guesses 256 bits, so nothing slower is needed. */
  readonly hash: Buffer
}

export function createClientSecret(): ClientSecret {
  const text = `${mark}${randomBytes(secretBytes).toString('base64url')}`
  return { text, hash: hashClientSecret(text) }
}

export function hashClientSecret(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
