/**
 * Whom attempts are counted for. A device is told apart by its network and its name for itself: no cookie, so that it works
 * for every kind of client, and nobody can claim another's network. A name, an address or a number that nobody has is counted
 * under an id derived from it, so that known and unknown are refused alike.
 */
import { networkOf } from '@signet/http'
import { sealParts } from '@signet/kernel'
import type { Deps, RequestFacts } from './deps.ts'

/** 32 bytes that stand for the device of a request. */
export function fingerprintOf({ keys }: Pick<Deps, 'keys'>, request: RequestFacts): Buffer {
  return sealParts(keys.device, networkOf(request.ip), request.userAgent ?? '')
}

/** The id (UUIDv8, RFC 9562) under which `text` is counted, e.g. an e-mail address or a network. */
export function subjectOf({ keys }: Pick<Deps, 'keys'>, kind: string, text: string): string {
  const bytes = sealParts(keys.subject, kind, text).subarray(0, 16)
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x80
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80
  const hex = bytes.toString('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}

/** An address as attempts are counted: in lower case, and without what some mail servers let everybody append. */
export function foldEmail(email: string): string {
  const folded = email.trim().toLowerCase()
  const at = folded.lastIndexOf('@')
  return at < 0 ? folded : `${folded.slice(0, at).replace(/\+.*$/, '')}${folded.slice(at)}`
}
