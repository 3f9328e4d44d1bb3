// Where there is WebCrypto and nothing of Node: edge runtimes, workers, browsers. Nothing here is synchronous.

import { AuthError } from './errors.ts'
import { readText, splitJws } from './jws.ts'
import type { PublicJwk, VerificationKey } from './key-set.ts'
import type { Bytes, Platform } from './platform.ts'

type ImportedKey = Awaited<ReturnType<typeof crypto.subtle.importKey>>

const algorithm = { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' }

// Imported when first needed, once a key: WebCrypto imports asynchronously, a key set is read at once.
const imported = new WeakMap<VerificationKey, Promise<ImportedKey>>()

function importOnce(key: VerificationKey): Promise<ImportedKey> {
  let importing = imported.get(key)
  if (importing === undefined) {
    const { kty, n, e } = key.jwk
    importing = crypto.subtle.importKey('jwk', { kty, n, e }, algorithm, false, ['verify'])
    imported.set(key, importing)
  }
  return importing
}

async function verify(key: VerificationKey, signed: Bytes, signature: Bytes): Promise<boolean> {
  return crypto.subtle.verify(algorithm, await importOnce(key), signature, signed)
}

export const web: Platform = {
  importKey: (jwk: PublicJwk) => jwk,
  async open(token, header, key) {
    const { signed, signature, payload } = splitJws(token, header)
    if (signature.length !== key.signatureBytes || !(await verify(key, signed, signature)))
      throw new AuthError('invalid_signature')
    return readText(payload)
  },
  verify,
  loadPolicyEngine: () => Promise.reject(new Error('Policies are decided on Node, Bun and Deno.')),
}
