// Documents that the issuer signs with the keys of its tokens: status lists and bundles. Each has a type of its own, so that
// none is ever taken for a token, nor a token for one of them.

import type { Clock } from './clock.ts'
import { AuthError } from './errors.ts'
import { assertCompactForm, parseObject, readHeader, readText, splitJws } from './jws.ts'
import type { VerificationKey } from './key-set.ts'
import type { KeySource } from './key-source.ts'
import type { Platform } from './platform.ts'

export interface SignedDocumentRules {
  readonly keys: KeySource
  readonly platform: Platform
  readonly clock: Clock
  readonly toleranceMs: number
  /** The header's `typ`. */
  readonly typ: string
  readonly issuer: string
  readonly subject: string
  readonly maxChars: number
}

export interface SignedDocument {
  readonly payload: Readonly<Record<string, unknown>>
  /** `exp` and the tolerance, or Infinity. */
  readonly untilMs: number
}

/** Verifies a document as a token is verified, and for the subject that was asked about. Rejects with an Error. */
export async function openSignedDocument(text: string, rules: SignedDocumentRules): Promise<SignedDocument> {
  const { clock, issuer, keys, platform, subject, toleranceMs, typ } = rules
  assertCompactForm(text, rules.maxChars)
  const header = readHeader(text)
  if (header.typ !== typ && header.typ !== `application/${typ}`) throw new AuthError('wrong_type')
  const key = await findKey(keys, header.kid, clock)
  const { payload: bytes, signature, signed } = splitJws(text, header)
  if (signature.length !== key.signatureBytes || !(await platform.verify(key, signed, signature)))
    throw new AuthError('invalid_signature')
  const payload = { __proto__: null, ...parseObject(readText(bytes)) } as Readonly<Record<string, unknown>>
  const nowMs = clock.wallMs()
  const { exp, iat } = payload
  // The draft leaves `iss` out of a status list: the key says who signed it.
  if (payload.iss !== undefined && payload.iss !== issuer) throw new AuthError('wrong_issuer')
  if (payload.sub !== subject) throw new Error('The document is about another subject.')
  if (typeof iat !== 'number' || !(iat * 1000 - toleranceMs <= nowMs)) throw new AuthError('not_active')
  if (exp === undefined) return { payload, untilMs: Number.POSITIVE_INFINITY }
  const untilMs = typeof exp === 'number' ? exp * 1000 + toleranceMs : Number.NaN
  if (!(nowMs < untilMs)) throw new AuthError('expired')
  return { payload, untilMs }
}

async function findKey(keys: KeySource, kid: string, clock: Clock): Promise<VerificationKey> {
  const found = keys.find(kid, clock.wallMs(), true)
  if (!(found instanceof Promise)) return found
  await found
  return keys.find(kid, clock.wallMs(), false) as VerificationKey
}
