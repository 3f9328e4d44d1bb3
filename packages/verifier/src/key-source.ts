// Where the keys of one issuer come from. Each issuer has its own source, so that a key of one never verifies a token
// of another, whatever its `kid`.

import { AuthError } from './errors.ts'
import { importKeys, type KeyIgnored, type PublicJwk, type VerificationKey, type VerificationKeys } from './key-set.ts'
import type { Platform } from './platform.ts'

export interface KeySource {
  /**
   * The key of this `kid`. `wallMs` is the present. With `mayWait`, a promise where a refetch under way may bring what is missing: ask again
   * when it has settled; it never rejects. Throws `unknown_key` or `keys_unavailable`.
   */
  find(kid: string, wallMs: number, mayWait: boolean): VerificationKey | Promise<void>
  list(): readonly PublicJwk[]
}

/** Keys given as a document: never fetched, never stale. Throws a TypeError when no key in it can be used. */
export function createStaticKeys(document: unknown, platform: Platform, ignored: KeyIgnored): KeySource {
  const keys = readDocument(document, platform, ignored)
  return {
    find(kid) {
      const key = keys.get(kid)
      if (key === undefined) throw new AuthError('unknown_key')
      return key
    },
    list: () => Array.from(keys.values(), key => key.jwk),
  }
}

function readDocument(document: unknown, platform: Platform, ignored: KeyIgnored): VerificationKeys {
  const reasons: string[] = []
  let keys: VerificationKeys
  try {
    keys = importKeys(document, new Map(), platform, (why, kid) => {
      reasons.push(why)
      ignored(why, kid)
    })
  } catch (error) {
    throw new TypeError('keys.jwks is not a JWK set', { cause: error })
  }
  if (keys.size === 0)
    throw new TypeError(`keys.jwks holds no key that can be used: ${reasons.join('; ') || 'it is empty'}`)
  return keys
}
