/** Access tokens as an installation issues them, of 700 to 1,000 bytes. */

import type { KeyObject } from 'node:crypto'
import { createTestIssuer, type TestIssuer } from '@signet/verifier/testing'

export interface TokenSet {
  readonly issuer: string
  readonly audience: string
  readonly jwks: TestIssuer['jwks']
  readonly publicKey: KeyObject
  readonly list: readonly string[]
  /** The same tokens as they come off a socket. */
  readonly bytes: readonly Buffer[]
}

const tokenCount = 512
const minBytes = 700
const maxBytes = 1_000

/** What only some tokens carry: left out of one after the other, it makes them shorter. */
const optionalClaims = ['roles', 'permissions', 'amr', 'kind', 'auth_time', 'sid'] as const

export function makeTokens(): TokenSet {
  const issuer = createTestIssuer()
  const list = Array.from({ length: tokenCount }, (_, index) => {
    const without = optionalClaims.slice(0, index % (optionalClaims.length + 1))
    return issuer.token(Object.fromEntries(without.map(claim => [claim, undefined])))
  })
  const odd = list.find(token => token.length < minBytes || token.length > maxBytes)
  if (odd !== undefined) throw new Error(`A token of ${odd.length} bytes is outside ${minBytes} to ${maxBytes}.`)
  const { publicKey } = issuer.key
  const bytes = list.map(token => Buffer.from(token, 'latin1'))
  return { issuer: issuer.issuer, audience: issuer.audience, jwks: issuer.jwks, publicKey, list, bytes }
}
