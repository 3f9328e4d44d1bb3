// Node, Bun and Deno: signatures by node:crypto, within one call.

import { createPublicKey, type KeyObject, verify } from 'node:crypto'
import { type Decoded, decodeCanonical } from './base64url.ts'
import { AuthError } from './errors.ts'
import { type JwsHeader, maxTokenChars, readText } from './jws.ts'
import type { VerificationKey } from './key-set.ts'
import type { Platform } from './platform.ts'

// One buffer for all verifications: each is synchronous from the first write to the last read. Regions: the token, its
// signature, its payload.
const scratch = Buffer.allocUnsafeSlow(3 * maxTokenChars)
const scratchView = new DataView(scratch.buffer, scratch.byteOffset, scratch.length)
const signatureAt = maxTokenChars
const payloadAt = 2 * maxTokenChars
const wideCharacter = /[\u0100-\uffff]/

/**
 * Verifies the signature of a token in compact form. Its payload, which may be any bytes, stays in place until the next
 * call: `readOpened` takes it out. Throws `malformed` or `invalid_signature`.
 */
export function openJws(token: string, { prefix }: JwsHeader, key: VerificationKey): Decoded {
  // Characters above U+00FF would lose their upper half here, and two different tokens would become one.
  if (wideCharacter.test(token)) throw new AuthError('malformed')
  const end = token.indexOf('.', prefix.length)
  const tokenLength = scratch.write(token, 0, 'latin1')
  const payload = decodeCanonical(scratchView, prefix.length, end, payloadAt)
  const signature = decodeCanonical(scratchView, end + 1, tokenLength, signatureAt)
  if (payload === undefined || signature === undefined) throw new AuthError('malformed')
  if (
    signature.length !== key.signatureBytes ||
    !verify('RSA-SHA256', view(0, end), key.key as KeyObject, view(signatureAt, signature.length))
  ) {
    throw new AuthError('invalid_signature')
  }
  return payload
}

function readOpened({ ascii, length }: Decoded): string {
  return ascii ? scratch.toString('latin1', payloadAt, payloadAt + length) : readText(view(payloadAt, length))
}

function view(offset: number, length: number): Buffer {
  return scratch.subarray(offset, offset + length)
}

export const node: Platform = {
  importKey: ({ kty, n, e }) => createPublicKey({ key: { kty, n, e }, format: 'jwk' }),
  open: (token, header, key) => readOpened(openJws(token, header, key)),
  verify: (key, signed, signature) => verify('RSA-SHA256', signed, key.key as KeyObject, signature),
  loadPolicyEngine: async () => (await import('./policies/cedar.ts')).loadEngine(),
}
