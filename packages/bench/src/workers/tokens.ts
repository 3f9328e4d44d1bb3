/** Access tokens as an installation issues them, of 700 to 1,000 bytes. */

import type { KeyObject } from 'node:crypto'
import { createTestIssuer, type TestIssuer } from '@signet/verifier/testing'

export interface TokenSet {
  readonly issuer: string
  /** Answers in the place of the issuer: what a verifier fetches costs no network. */
  readonly fetch: typeof fetch
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
const optionalClaims = ['auth_time', 'amr', 'roles', 'permissions', 'kind', 'sid'] as const
/** How many of them a token with a status has no room for. */
const crowdedOut = 2

/** @param revocable each names its session in a status list */
export function makeTokens(revocable: boolean): TokenSet {
  const issuer = createTestIssuer({ revocable })
  const least = revocable ? crowdedOut : 0
  const list = Array.from({ length: tokenCount }, (_, index) => {
    const without = optionalClaims.slice(0, least + (index % (optionalClaims.length + 1 - least)))
    return issuer.token(Object.fromEntries(without.map(claim => [claim, undefined])))
  })
  const odd = list.find(token => token.length < minBytes || token.length > maxBytes)
  if (odd !== undefined) throw new Error(`A token of ${odd.length} bytes is outside ${minBytes} to ${maxBytes}.`)
  const { publicKey } = issuer.key
  const bytes = list.map(token => Buffer.from(token, 'latin1'))
  const { audience, fetch, jwks } = issuer
  return { issuer: issuer.issuer, fetch, audience, jwks, publicKey, list, bytes }
}
