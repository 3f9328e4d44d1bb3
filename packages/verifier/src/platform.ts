// What differs between Node (which verifies synchronously, and several times faster than WebCrypto) and the edge.

import type { JwsHeader } from './jws.ts'
import type { PublicJwk, VerificationKey } from './key-set.ts'
import type { PolicyEngine } from './policies/engine.ts'

export type Bytes = Uint8Array<ArrayBuffer>

export interface Platform {
  /** The key as `open` and `verify` take it. Throws for one that cannot be read. */
  importKey(jwk: PublicJwk): unknown
  /**
   * Verifies the signature of a token in compact form and gives its payload. `header` is the one read from this very token.
   * Throws or rejects with `malformed` or `invalid_signature`.
   */
  open(token: string, header: JwsHeader, key: VerificationKey): string | Promise<string>
  /** RSASSA-PKCS1-v1_5 with SHA-256 (RFC 7518 section 3.3), for documents of any length. */
  verify(key: VerificationKey, signed: Bytes, signature: Bytes): boolean | Promise<boolean>
  /** Rejects where policies cannot be decided. */
  loadPolicyEngine(): Promise<PolicyEngine>
}
