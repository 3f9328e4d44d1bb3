// A real issuer for tests: it signs with a key of its own and publishes it, so that nothing has to be mocked.

import { generateKeyPairSync, type KeyObject, randomUUID, sign } from 'node:crypto'
import type { PublicJwk } from './key-set.ts'

export interface TestIssuerOptions {
  /** Default `https://issuer.test`. */
  readonly issuer?: string
  /** Default `signet`. */
  readonly audience?: string
  /** The time in milliseconds since 1970. Default: the clock. */
  readonly now?: () => number
}

export interface TestKey {
  readonly kid: string
  readonly privateKey: KeyObject
  readonly publicKey: KeyObject
}

export interface TestIssuer {
  readonly issuer: string
  readonly audience: string
  /** The key that signs now. */
  readonly key: TestKey
  /** The published keys, as a JWK set. */
  readonly jwks: { readonly keys: readonly PublicJwk[] }
  /**
   * An access token valid for 15 minutes, signed with RS256. Given members replace the defaults of its claims and its
   * header; `undefined` leaves one out.
   */
  token(claims?: Readonly<Record<string, unknown>>, header?: Readonly<Record<string, unknown>>): string
  /** Signs a header and a payload as they are, for tokens that no honest issuer would write. */
  sign(header: object, payload: string | Uint8Array, privateKey?: KeyObject): string
  /** Serves the key set at `/.well-known/jwks.json` of the issuer, 404 elsewhere: for the option `keys.fetch`. */
  readonly fetch: typeof fetch
  /** Adds a key and signs with it from now on. The older ones stay published. Returns the new one. */
  rotate(): TestKey
  /** Publishes the key of this `kid` no more. */
  removeKey(kid: string): void
}

const lifetimeSeconds = 900

export function createTestIssuer(options: TestIssuerOptions = {}): TestIssuer {
  const { issuer = 'https://issuer.test', audience = 'signet', now = Date.now } = options
  const keysUri = `${issuer.replace(/\/$/, '')}/.well-known/jwks.json`
  let key = createTestKey()
  let published = [key]
  const listKeys = () => ({ keys: published.map(toJwk) })

  function signJws(header: object, payload: string | Uint8Array, privateKey = key.privateKey): string {
    const input = `${encode(JSON.stringify(header))}.${encode(payload)}`
    return `${input}.${sign('RSA-SHA256', Buffer.from(input), privateKey).toString('base64url')}`
  }

  return {
    issuer,
    audience,
    get key() {
      return key
    },
    get jwks() {
      return listKeys()
    },
    token(claims = {}, header = {}) {
      const issuedAt = Math.floor(now() / 1000)
      const standard = {
        iss: issuer,
        aud: audience,
        sub: randomUUID(),
        client_id: 'signet',
        iat: issuedAt,
        exp: issuedAt + lifetimeSeconds,
        jti: randomUUID(),
        sid: randomUUID(),
        tid: randomUUID(),
        roles: ['member'],
        permissions: [],
        kind: 'user',
        auth_time: issuedAt,
        amr: ['pwd'],
      }
      return signJws(
        { alg: 'RS256', typ: 'at+jwt', kid: key.kid, ...header },
        JSON.stringify({ ...standard, ...claims }),
      )
    },
    sign: signJws,
    fetch: async input => {
      const uri = input instanceof Request ? input.url : input.toString()
      return uri === keysUri ? Response.json(listKeys()) : new Response(null, { status: 404 })
    },
    rotate() {
      key = createTestKey()
      published = [...published, key]
      return key
    },
    removeKey(kid) {
      published = published.filter(item => item.kid !== kid)
    },
  }
}

function createTestKey(): TestKey {
  return { kid: randomUUID(), ...generateKeyPairSync('rsa', { modulusLength: 2048 }) }
}

function toJwk({ kid, publicKey }: TestKey): PublicJwk {
  const { n = '', e = '' } = publicKey.export({ format: 'jwk' })
  return { kty: 'RSA', kid, n, e, alg: 'RS256', use: 'sig' }
}

function encode(text: string | Uint8Array): string {
  return Buffer.from(text as Uint8Array).toString('base64url')
}
