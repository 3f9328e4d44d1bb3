/**
 * The ways to check a token that are held against each other. Each is set up as its documentation advises and as strictly
 * as it allows: signature by RS256 alone, issuer, audience, times.
 */

import { verify as verifySignature } from 'node:crypto'
import { createVerifier } from '@signet/verifier'
import { JwtVerifier } from 'aws-jwt-verify'
import { createVerifier as createFastJwt } from 'fast-jwt'
import { importJWK, jwtVerify } from 'jose'
import jsonwebtoken from 'jsonwebtoken'
import type { TokenSet } from './tokens.ts'

/** Throws or rejects when the token is not genuine. */
export type Check = (token: string) => unknown

export const checks = {
  signet: tokens => createSignet(tokens, false),
  'signet, cached': tokens => createSignet(tokens, { max: tokens.list.length * 4 }),

  'signet, sees ends': tokens => createListed(tokens, 'poll', false),
  'signet, sees no ends': tokens => createListed(tokens, 'off', false),
  'signet, cached, sees ends': tokens => createListed(tokens, 'poll', { max: tokens.list.length * 4 }),
  'signet, cached, sees no ends': tokens => createListed(tokens, 'off', { max: tokens.list.length * 4 }),

  /** The arithmetic alone: nothing is split, decoded or read. */
  'raw crypto.verify': ({ list, publicKey }) => {
    const prepared = new Map(list.map(token => [token, splitToken(token)]))
    return token => {
      const { input, signature } = prepared.get(token) ?? splitToken(token)
      if (!verifySignature('RSA-SHA256', input, publicKey, signature)) throw new Error('The signature is wrong.')
    }
  },

  /** The least that anybody has to do who wants to read a token, without one check beside the signature. */
  'decoding, crypto.verify and JSON.parse': ({ publicKey }) => {
    return token => {
      const headerEnd = token.indexOf('.')
      const payloadEnd = token.indexOf('.', headerEnd + 1)
      const header = Buffer.from(token.slice(0, headerEnd), 'base64url')
      const payload = Buffer.from(token.slice(headerEnd + 1, payloadEnd), 'base64url')
      const signature = Buffer.from(token.slice(payloadEnd + 1), 'base64url')
      const input = Buffer.from(token.slice(0, payloadEnd), 'latin1')
      if (header.length === 0 || !verifySignature('RSA-SHA256', input, publicKey, signature))
        throw new Error('The signature is wrong.')
      return JSON.parse(payload.toString()) as unknown
    }
  },

  jose: async ({ issuer, audience, jwks }) => {
    const [jwk] = jwks.keys
    if (jwk === undefined) throw new TypeError('The key set is empty.')
    const key = await importJWK({ ...jwk }, 'RS256')
    const options = { issuer, audience, typ: 'at+jwt', algorithms: ['RS256'] }
    return token => jwtVerify(token, key, options)
  },

  'fast-jwt': tokens => createFastJwt({ ...fastJwtOptions(tokens), cache: false }),
  'fast-jwt, cached': tokens => createFastJwt({ ...fastJwtOptions(tokens), cache: tokens.list.length * 4 }),

  'aws-jwt-verify': ({ issuer, audience, jwks }) => {
    const verifier = JwtVerifier.create({ issuer, audience, jwksUri: `${issuer}/.well-known/jwks.json` })
    verifier.cacheJwks({ keys: jwks.keys.map(key => ({ ...key })) })
    return token => verifier.verifySync(token)
  },

  jsonwebtoken: ({ issuer, audience, publicKey }) => {
    return token => jsonwebtoken.verify(token, publicKey, { issuer, audience, algorithms: ['RS256'] })
  },
} satisfies Record<string, (tokens: TokenSet) => Check | Promise<Check>>

export type CheckName = keyof typeof checks

function createSignet({ issuer, audience, jwks }: TokenSet, cache: false | { max: number }): Check {
  const verifier = createVerifier({ issuer, audience, keys: { jwks }, cache })
  return token => verifier.verifySync(token)
}

/** Both kinds fetch their keys, and differ in nothing but that one of them has the list and looks into it. */
async function createListed(
  { issuer, audience, fetch }: TokenSet,
  mode: 'poll' | 'off',
  cache: false | { max: number },
): Promise<Check> {
  const verifier = createVerifier({ issuer, audience, cache, bundles: false, keys: { fetch }, revocation: { mode } })
  await verifier.warmUp()
  return token => verifier.verifySync(token)
}

function fastJwtOptions({ issuer, audience, publicKey }: TokenSet) {
  const key = publicKey.export({ type: 'spki', format: 'pem' })
  return { key, algorithms: ['RS256' as const], allowedIss: issuer, allowedAud: audience }
}

function splitToken(token: string): { input: Buffer; signature: Buffer } {
  const end = token.lastIndexOf('.')
  return {
    input: Buffer.from(token.slice(0, end), 'latin1'),
    signature: Buffer.from(token.slice(end + 1), 'base64url'),
  }
}
