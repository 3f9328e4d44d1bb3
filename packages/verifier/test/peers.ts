// The libraries that the corpus is held against, each set up as strictly as its documentation advises: RS256 alone,
// issuer, audience, type where it has an option for it, the claims that RFC 9068 section 2.2 requires where it has one,
// and the same 30 seconds of tolerance as ours, so that only the reading of the token differs.

import { type KeyObject, randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { AuthError, createVerifier, type Reason } from '@signet/verifier'
import { JwtVerifier } from 'aws-jwt-verify'
import { JwtBaseError } from 'aws-jwt-verify/error'
import { createVerifier as createFastJwt, TokenError } from 'fast-jwt'
import { createLocalJWKSet, errors, jwtVerify } from 'jose'
import jsonwebtoken from 'jsonwebtoken'

/** `throws …`: it fails with an error that its own documentation does not name, which a caller's handler may not expect. */
export type Verdict = 'accepts' | 'refuses' | `throws ${string}`

export interface Verdicts {
  readonly signet: Verdict
  readonly peers: Readonly<Record<string, Verdict>>
  readonly reason: Reason | undefined
}

export interface PublishedKey {
  readonly kid: string
  readonly publicKey: KeyObject
}

export interface Setting {
  readonly issuer: string
  readonly audience: string
  readonly keys: readonly PublishedKey[]
  readonly nowMs: number
}

const toleranceSeconds = 30
const requiredClaims = ['iss', 'exp', 'aud', 'sub', 'client_id', 'iat', 'jti']
// No age limit, as ours has none; but with the option both libraries also look at `iat`.
const centurySeconds = 100 * 366 * 86_400

type Check = (token: string) => unknown

/** Which errors of a library are its documented way to say no. */
interface Peer {
  readonly check: Check
  readonly isRefusal: (error: unknown) => boolean
}

export const peerNames = ['jose', 'fast-jwt', 'aws-jwt-verify', 'jsonwebtoken'] as const

function toJwk({ kid, publicKey }: PublishedKey) {
  const { n = '', e = '' } = publicKey.export({ format: 'jwk' })
  return { kty: 'RSA' as const, kid, n, e, alg: 'RS256' as const, use: 'sig' as const }
}

/** Asks everybody about a token. Throws where ours answers `verify` and `verifySync` differently, or with no AuthError. */
export function createJury(setting: Setting): (token: string) => Promise<Verdicts> {
  const peers = createPeers(setting)
  const { issuer, audience, keys, nowMs } = setting
  const verifier = createVerifier({ issuer, audience, keys: { jwks: { keys: keys.map(toJwk) } }, now: () => nowMs })
  return async token => {
    const reason = await reasonOf(() => verifier.verify(token))
    const again = await reasonOf(() => verifier.verifySync(token))
    if (reason !== again) throw new Error(`verify says ${reason}, verifySync says ${again}`)
    const verdicts: Record<string, Verdict> = {}
    for (const name of peerNames) verdicts[name] = await judge(peers[name], token)
    return { signet: reason === undefined ? 'accepts' : 'refuses', peers: verdicts, reason }
  }
}

/** The version of each library as installed. */
export function listVersions(): readonly string[] {
  const require = createRequire(import.meta.url)
  return peerNames.map(name => {
    const paths = require.resolve.paths(name) ?? []
    for (const path of paths) {
      try {
        const { version } = JSON.parse(readFileSync(`${path}/${name}/package.json`, 'utf8')) as { version: string }
        return `${name} ${version}`
      } catch {
        // The next folder up may have it.
      }
    }
    throw new Error(`${name} is not installed`)
  })
}

async function reasonOf(act: () => unknown): Promise<Reason | undefined> {
  try {
    await act()
    return undefined
  } catch (error) {
    if (error instanceof AuthError) return error.reason
    throw error
  }
}

async function judge({ check, isRefusal }: Peer, token: string): Promise<Verdict> {
  try {
    await check(token)
    return 'accepts'
  } catch (error) {
    return isRefusal(error) ? 'refuses' : `throws ${error instanceof Error ? error.name : typeof error}`
  }
}

function createPeers(setting: Setting): Record<(typeof peerNames)[number], Peer> {
  return {
    jose: { check: createJose(setting), isRefusal: error => error instanceof errors.JOSEError },
    'fast-jwt': { check: createFast(setting), isRefusal: error => error instanceof TokenError },
    'aws-jwt-verify': { check: createAws(setting), isRefusal: error => error instanceof JwtBaseError },
    jsonwebtoken: {
      check: createJsonwebtoken(setting),
      isRefusal: error => error instanceof jsonwebtoken.JsonWebTokenError,
    },
  }
}

function createJose({ issuer, audience, keys, nowMs }: Setting): Check {
  const keySet = createLocalJWKSet({ keys: keys.map(toJwk) })
  const options = {
    issuer,
    audience,
    typ: 'at+jwt',
    algorithms: ['RS256'],
    clockTolerance: toleranceSeconds,
    currentDate: new Date(nowMs),
    maxTokenAge: centurySeconds,
    requiredClaims: [...requiredClaims],
  }
  return token => jwtVerify(token, keySet, options)
}

function createFast({ issuer, audience, keys, nowMs }: Setting): Check {
  const pems = listPems(keys)
  return createFastJwt({
    // Its documentation has the key looked up by `kid` in a function.
    key: async ({ header }: { header: { kid?: unknown } }) => findPem(pems, header.kid),
    algorithms: ['RS256'],
    allowedIss: issuer,
    allowedAud: audience,
    checkTyp: 'at+jwt',
    requiredClaims: [...requiredClaims],
    clockTolerance: toleranceSeconds * 1_000,
    clockTimestamp: nowMs,
    maxAge: centurySeconds * 1_000,
    cache: false,
  })
}

function createAws({ issuer, audience, keys, nowMs }: Setting): Check {
  const jwksUri = `${issuer}/${randomUUID()}`
  const verifier = JwtVerifier.create({ issuer, audience, jwksUri, graceSeconds: toleranceSeconds })
  verifier.cacheJwks({ keys: keys.map(toJwk) })
  return token => {
    // It has no option for the time.
    const { now } = Date
    Date.now = () => nowMs
    try {
      return verifier.verifySync(token)
    } finally {
      Date.now = now
    }
  }
}

function createJsonwebtoken({ issuer, audience, keys, nowMs }: Setting): Check {
  const pems = listPems(keys)
  const options = {
    algorithms: ['RS256' as const],
    issuer,
    audience,
    clockTolerance: toleranceSeconds,
    clockTimestamp: nowMs / 1_000,
    maxAge: centurySeconds,
  }
  return token =>
    new Promise((resolve, reject) => {
      const findKey: jsonwebtoken.GetPublicKeyOrSecret = ({ kid }, answer) => {
        try {
          answer(null, findPem(pems, kid))
        } catch (error) {
          answer(error as Error)
        }
      }
      jsonwebtoken.verify(token, findKey, options, (error, claims) => (error ? reject(error) : resolve(claims)))
    })
}

function listPems(keys: readonly PublishedKey[]): ReadonlyMap<unknown, string> {
  return new Map(keys.map(key => [key.kid, key.publicKey.export({ type: 'spki', format: 'pem' }).toString()]))
}

function findPem(pems: ReadonlyMap<unknown, string>, kid: unknown): string {
  const pem = pems.get(kid)
  if (pem === undefined) throw new Error('The key is not known.')
  return pem
}
