import { createHmac, hkdfSync, type KeyObject } from 'node:crypto'

/** What a derived key is for. Each purpose gets its own key, so that a value made for one is worthless to another. */
export type KeyPurpose =
  | 'cursor'
  | 'idempotency'
  | 'refresh-successor'
  | 'refresh-seal'
  | 'code'
  | 'subject'
  | 'device'
  | 'outbox'
  | 'service-key'
  | 'mark'

/** A 32-byte key for one purpose out of the installation's secret (HKDF-SHA-256, RFC 5869). */
export function deriveKey(secret: Uint8Array, purpose: KeyPurpose): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, '', `signet/${purpose}`, 32))
}

/**
 * HMAC-SHA-256 of the parts, joined by NUL so that no two lists of parts are the same bytes. A key object is prepared once,
 * which costs more than the HMAC: hot paths have one.
 */
export function sealParts(key: Uint8Array | KeyObject, ...parts: readonly string[]): Buffer {
  return createHmac('sha256', key).update(parts.join('\0')).digest()
}
