// A token is a compact JWS (RFC 7515) of exactly three canonical segments, signed with RS256 and nothing else. What the
// header says about keys other than `kid` is refused, never followed: the key comes from the issuer's published set.

import { verify } from 'node:crypto'
import { type Decoded, decodeCanonical } from './base64url.ts'
import { AuthError } from './errors.ts'
import type { VerificationKey } from './key-set.ts'

/** Longer tokens are refused before any work. A Signet token stays under 1,200 bytes. */
const maxTokenChars = 16_384
const maxKidChars = 256

// RFC 7515 sections 4.1.2 to 4.1.6: a token that brings or points to its own key. 4.1.11: extensions we do not know.
// RFC 7797: an unencoded payload.
const refusedParameters = ['jwk', 'x5c', 'jku', 'x5u', 'crit', 'b64'] as const

/** The parts of a JOSE header that decide. `prefix` is the segment as it was sent, with its dot. */
export interface JwsHeader {
  readonly prefix: string
  readonly kid: string
  readonly typ: unknown
}

// One buffer for all verifications: each is synchronous from the first write to the last read. Regions: the token, its
// signature, its payload.
const scratch = Buffer.allocUnsafeSlow(3 * maxTokenChars)
const scratchView = new DataView(scratch.buffer, scratch.byteOffset, scratch.length)
const signatureAt = maxTokenChars
const payloadAt = 2 * maxTokenChars

// A byte order mark stays where it is: no JSON begins with one.
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
const wideCharacter = /[\u0100-\uffff]/

/** A token often comes from where no compiler looked. */
export function assertString(token: unknown): asserts token is string {
  if (typeof token !== 'string') throw new AuthError('malformed', 'The access token is not a string.')
}

/** Refuses what cannot be a compact JWS, by size and number of segments, before anything is decoded. */
export function assertCompactForm(token: string): void {
  if (token.length > maxTokenChars) throw new AuthError('malformed', 'The access token is too long.')
  const first = token.indexOf('.')
  const second = token.indexOf('.', first + 1)
  if (first < 1 || second < 0 || token.indexOf('.', second + 1) >= 0) throw new AuthError('malformed')
}

/** Reads the header of a token in compact form. Throws `malformed`, or `invalid_signature` for a foreign algorithm. */
export function readHeader(token: string): JwsHeader {
  const end = token.indexOf('.')
  const header: Record<string, unknown> = { __proto__: null, ...parseObject(decodeText(token, 0, end)) }
  if (header.alg !== 'RS256') throw new AuthError('invalid_signature', 'The token is not signed with RS256.')
  for (const name of refusedParameters) {
    if (name in header) throw new AuthError('malformed', `The header parameter ${name} is not accepted.`)
  }
  const { kid } = header
  if (typeof kid !== 'string' || kid === '' || kid.length > maxKidChars) {
    throw new AuthError('malformed', 'The header parameter kid is missing or has the wrong form.')
  }
  return { prefix: token.slice(0, end + 1), kid, typ: header.typ }
}

/**
 * Verifies the signature of a token in compact form. Its payload, which may be any bytes, stays in place until the next
 * call of this file: `readText` takes it out. `header` is the one read from this very token. Throws `malformed` or
 * `invalid_signature`.
 */
export function openJws(token: string, header: JwsHeader, key: VerificationKey): Decoded {
  const start = header.prefix.length
  const end = token.indexOf('.', start)
  const tokenLength = writeToken(token)
  const payload = decodeCanonical(scratchView, start, end, payloadAt)
  const signature = decodeCanonical(scratchView, end + 1, tokenLength, signatureAt)
  if (payload === undefined || signature === undefined) throw new AuthError('malformed')
  if (
    signature.length !== key.signatureBytes ||
    !verify('RSA-SHA256', view(0, end), key.key, view(signatureAt, signature.length))
  ) {
    throw new AuthError('invalid_signature')
  }
  return payload
}

/** Reads the payload of a token whose signature has NOT been verified: good for choosing the issuer, nothing else. */
export function peekPayload(token: string, header: JwsHeader): string {
  const start = header.prefix.length
  return decodeText(token, start, token.indexOf('.', start))
}

/** The payload decoded last, as text. Invalid UTF-8 is refused: two different payloads would read the same. */
export function readText({ ascii, length }: Decoded): string {
  if (ascii) return scratch.toString('latin1', payloadAt, payloadAt + length)
  try {
    return utf8.decode(view(payloadAt, length))
  } catch {
    throw new AuthError('malformed')
  }
}

/**
 * Parses a JSON object. Of duplicate members the last one counts, as RFC 7515 section 4 and RFC 7519 section 4 allow.
 */
export function parseObject(text: string): Record<string, unknown> {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    // The parser's message quotes its input, which must not leave this file.
    throw new AuthError('malformed')
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new AuthError('malformed')
  return value as Record<string, unknown>
}

function decodeText(token: string, start: number, end: number): string {
  writeToken(token)
  const decoded = decodeCanonical(scratchView, start, end, payloadAt)
  if (decoded === undefined) throw new AuthError('malformed')
  return readText(decoded)
}

// Characters above U+00FF would lose their upper half here, and two different tokens would become one.
function writeToken(token: string): number {
  if (wideCharacter.test(token)) throw new AuthError('malformed')
  return scratch.write(token, 0, 'latin1')
}

function view(offset: number, length: number): Buffer {
  return scratch.subarray(offset, offset + length)
}
