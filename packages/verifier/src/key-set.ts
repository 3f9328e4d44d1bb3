// A published key set is read as if a stranger had written it: a key we would not use is left out and reported, and the
// others go on working. Two different keys under one `kid` are both left out, because nobody can say which was meant.

import { decodeSegment } from './base64url.ts'

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
  /** As the platform imported it. */
  readonly key: unknown
  readonly signatureBytes: number
}

export type VerificationKeys = ReadonlyMap<string, VerificationKey>

/** Makes of a key what the platform verifies with; throws where it cannot. */
export type ImportKey = (jwk: PublicJwk) => unknown

/** Told of each key that was left out, and why. */
export type KeyIgnored = (why: string, kid: string | undefined) => void

const maxKidChars = 256
const minModulusBits = 2048
const maxModulusBits = 8192
// FIPS 186-5 appendix A.1.1: smaller exponents make forgery a matter of padding mistakes, and 1 verifies anything.
const minExponent = 65_537
const privateMembers = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'] as const

/**
 * Reads a JWK set. A key that `known` holds unchanged stays the same object, so that what was verified with it stays
 * verified. Throws when the document is no JWK set at all.
 */
export function importKeys(
  document: unknown,
  known: VerificationKeys,
  platform: { readonly importKey: ImportKey },
  ignored: KeyIgnored,
): VerificationKeys {
  const keys = new Map<string, VerificationKey>()
  const disputed = new Set<string>()
  for (const member of readMembers(document)) {
    const kid = readKid(member)
    const verdict = readKey(member, kid, known, platform.importKey)
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
function readKey(
  member: unknown,
  kid: string | undefined,
  known: VerificationKeys,
  importKey: ImportKey,
): VerificationKey | string {
  if (typeof member !== 'object' || member === null) return 'the key is no object'
  const { kty, n, e, alg, use, key_ops: operations } = member as Record<string, unknown>
  if (kid === undefined || kid === '' || kid.length > maxKidChars) return 'kid is missing or has the wrong form'
  if (privateMembers.some(name => name in member)) return 'the key is private'
  const isForSignatures = use === undefined || use === 'sig'
  const isForVerification = operations === undefined || (Array.isArray(operations) && operations.includes('verify'))
  if (kty !== 'RSA' || !(alg === undefined || alg === 'RS256') || !isForSignatures || !isForVerification) {
    return 'the key is not an RSA key for signatures by RS256'
  }
  const modulus = readNumber(n)
  const exponent = readNumber(e)
  if (modulus === undefined || exponent === undefined) return 'modulus or exponent is not canonical base64url'
  const jwk: PublicJwk = Object.freeze({ kty, kid, n: n as string, e: e as string, alg: 'RS256', use: 'sig' })
  const held = known.get(kid)
  if (held !== undefined && isSameKey(held.jwk, jwk)) return held
  const bits = countBits(modulus)
  if (bits < minModulusBits || bits > maxModulusBits) {
    return `the modulus has ${bits} bits: ${minModulusBits} to ${maxModulusBits} are accepted`
  }
  // An exponent of more than six bytes is none that anybody uses, and slow to verify with.
  const power = exponent.reduce((sum, byte) => sum * 256 + byte, 0)
  if (power < minExponent || power % 2 === 0 || !Number.isSafeInteger(power))
    return 'the exponent is even, below 65537 or too large'
  try {
    return { jwk, key: importKey(jwk), signatureBytes: Math.ceil(bits / 8) }
  } catch {
    return 'the key cannot be read'
  }
}

/** A Base64urlUInt (RFC 7518 section 2): big-endian bytes. */
function readNumber(text: unknown): Uint8Array | undefined {
  return typeof text === 'string' && text !== '' ? decodeSegment(text) : undefined
}

function countBits(bytes: Uint8Array): number {
  const first = bytes.findIndex(byte => byte !== 0)
  return first < 0 ? 0 : (bytes.length - first) * 8 - Math.clz32(bytes[first]!) + 24
}

function isSameKey(a: PublicJwk, b: PublicJwk): boolean {
  return a.n === b.n && a.e === b.e
}
