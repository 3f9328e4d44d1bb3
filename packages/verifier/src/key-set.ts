// A published key set is read as if a stranger had written it: a key we would not use is left out and reported, and the
// others go on working. Two different keys under one `kid` are both left out, because nobody can say which was meant.

import { createPublicKey, type KeyObject } from 'node:crypto'
import { isCanonical } from './base64url.ts'

/** The members of a public RSA key (RFC 7517, RFC 7518 section 6.3) that we keep. */
export interface PublicJwk {
  readonly kty: 'RSA'
  readonly kid: string
  readonly n: string
  readonly e: string
  readonly alg: 'RS256'
  readonly use: 'sig'
}

/** A key that may verify. `signatureBytes` is the only length a signature by it can have. */
export interface VerificationKey {
  readonly jwk: PublicJwk
  readonly key: KeyObject
  readonly signatureBytes: number
}

export type VerificationKeys = ReadonlyMap<string, VerificationKey>

/** Told of each key that was left out, and why. */
export type KeyIgnored = (why: string, kid: string | undefined) => void

const maxKidChars = 256
const minModulusBits = 2048
const maxModulusBits = 8192
// FIPS 186-5 appendix A.1.1: smaller exponents make forgery a matter of padding mistakes, and 1 verifies anything.
const minExponent = 65_537n
const privateMembers = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'] as const

/**
 * Reads a JWK set. A key that `known` holds unchanged stays the same object, so that what was verified with it stays
 * verified. Throws when the document is no JWK set at all.
 */
export function importKeys(document: unknown, known: VerificationKeys, ignored: KeyIgnored): VerificationKeys {
  const keys = new Map<string, VerificationKey>()
  const disputed = new Set<string>()
  for (const member of readMembers(document)) {
    const kid = readKid(member)
    const verdict = importKey(member, kid, known)
    if (typeof verdict === 'string') {
      ignored(verdict, kid)
      continue
    }
    const other = keys.get(verdict.jwk.kid)
    if (other !== undefined && !isSameKey(other.jwk, verdict.jwk)) disputed.add(verdict.jwk.kid)
    keys.set(verdict.jwk.kid, verdict)
  }
  for (const kid of disputed) {
    keys.delete(kid)
    ignored('two different keys share this kid', kid)
  }
  return keys
}

function readMembers(document: unknown): readonly unknown[] {
  const members = typeof document === 'object' && document !== null && (document as { keys?: unknown }).keys
  if (!Array.isArray(members)) throw new Error('The document is not a JWK set: it has no array "keys".')
  return members
}

function readKid(member: unknown): string | undefined {
  if (typeof member !== 'object' || member === null) return undefined
  const { kid } = member as { kid?: unknown }
  return typeof kid === 'string' ? kid : undefined
}

// The key, or why it is left out.
function importKey(member: unknown, kid: string | undefined, known: VerificationKeys): VerificationKey | string {
  if (typeof member !== 'object' || member === null) return 'the key is no object'
  const { kty, n, e, alg, use, key_ops: operations } = member as Record<string, unknown>
  if (kid === undefined || kid === '' || kid.length > maxKidChars) return 'kid is missing or has the wrong form'
  if (kty !== 'RSA') return 'the key is not an RSA key'
  if (privateMembers.some(name => name in member)) return 'the key is private'
  if (use !== undefined && use !== 'sig') return 'the key is not for signatures'
  if (operations !== undefined && !(Array.isArray(operations) && operations.includes('verify'))) {
    return 'the key is not for verification'
  }
  if (alg !== undefined && alg !== 'RS256') return 'the key is for another algorithm'
  if (typeof n !== 'string' || typeof e !== 'string' || !isCanonical(n) || !isCanonical(e)) {
    return 'modulus or exponent is not canonical base64url'
  }
  const jwk: PublicJwk = { kty, kid, n, e, alg: 'RS256', use: 'sig' }
  const held = known.get(kid)
  return held !== undefined && isSameKey(held.jwk, jwk) ? held : createKey(jwk)
}

function createKey(jwk: PublicJwk): VerificationKey | string {
  let key: KeyObject
  try {
    key = createPublicKey({ key: { kty: jwk.kty, n: jwk.n, e: jwk.e }, format: 'jwk' })
  } catch {
    return 'the key cannot be read'
  }
  const { modulusLength = 0, publicExponent = 0n } = key.asymmetricKeyDetails ?? {}
  if (modulusLength < minModulusBits || modulusLength > maxModulusBits) {
    return `the modulus has ${modulusLength} bits: ${minModulusBits} to ${maxModulusBits} are accepted`
  }
  if (publicExponent < minExponent || publicExponent % 2n === 0n) return 'the exponent is even or below 65537'
  return { jwk, key, signatureBytes: Math.ceil(modulusLength / 8) }
}

function isSameKey(a: PublicJwk, b: PublicJwk): boolean {
  return a.n === b.n && a.e === b.e
}
