// A token is a compact JWS (RFC 7515) of exactly three canonical segments, signed with RS256 and nothing else. What the
// header says about keys other than `kid` is refused, never followed: the key comes from the issuer's published set.

import { decodeSegment } from './base64url.ts'
import { AuthError } from './errors.ts'

/** Longer tokens are refused before any work. A Signet token stays under 1,200 bytes. */
export const maxTokenChars = 16_384
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

// A byte order mark stays where it is: no JSON begins with one.
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** A token often comes from where no compiler looked. */
export function assertString(token: unknown): asserts token is string {
  if (typeof token !== 'string') throw new AuthError('malformed', 'The access token is not a string.')
}

/** Refuses what cannot be a compact JWS, by size and number of segments, before anything is decoded. */
export function assertCompactForm(token: string, maxChars = maxTokenChars): void {
  if (token.length > maxChars) throw new AuthError('malformed', 'The access token is too long.')
  const first = token.indexOf('.')
  const second = token.indexOf('.', first + 1)
  if (first < 1 || second < 0 || token.indexOf('.', second + 1) >= 0) throw new AuthError('malformed')
}

/** Reads the header of a token in compact form. Throws `malformed`, or `invalid_signature` for a foreign algorithm. */
export function readHeader(token: string): JwsHeader {
  const end = token.indexOf('.')
  const header: Record<string, unknown> = { __proto__: null, ...parseObject(readText(decode(token.slice(0, end)))) }
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

/** What is signed, the signature and the payload of a token in compact form whose header was read. Throws `malformed`. */
export function splitJws(token: string, { prefix }: JwsHeader) {
  const end = token.indexOf('.', prefix.length)
  return {
    signed: new TextEncoder().encode(token.slice(0, end)),
    signature: decode(token.slice(end + 1)),
    payload: decode(token.slice(prefix.length, end)),
  }
}

/** Reads the payload of a token whose signature has NOT been verified: good for choosing the issuer, nothing else. */
export function peekPayload(token: string, { prefix }: JwsHeader): string {
  return readText(decode(token.slice(prefix.length, token.indexOf('.', prefix.length))))
}

/** Bytes as text. Invalid UTF-8 is refused: two different payloads would read the same. */
export function readText(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes)
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

function decode(segment: string): Uint8Array<ArrayBuffer> {
  const bytes = decodeSegment(segment)
  if (bytes === undefined) throw new AuthError('malformed')
  return bytes
}
