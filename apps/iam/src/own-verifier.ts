/** The issuer verifies its own tokens with the keys that it holds: no network, and a change of the ring counts at once. */
import { createVerifier, type Principal, type Verifier } from '@signet/verifier'
import type { Deps } from './deps.ts'

export function createOwnVerifier({
  signingKeys,
  tokens: { issuer, audience },
  cookies,
  clock,
}: Pick<Deps, 'signingKeys' | 'tokens' | 'cookies' | 'clock'>): Verifier {
  const cookie = `${cookies.prefix}access_token`
  const build = () =>
    createVerifier({ issuer, audience, keys: { jwks: { keys: signingKeys.keySet().keys } }, cookie, now: clock })
  let current = build()
  signingKeys.onChange(() => {
    current = build()
  })
  return {
    verify: (token, need) => current.verify(token, need),
    verifySync: (token, need) => current.verifySync(token, need),
    authenticate: (headers, need) => current.authenticate(headers, need),
    warmUp: () => current.warmUp(),
    exportKeys: () => current.exportKeys(),
    health: () => current.health(),
    close: () => current.close(),
  }
}

/**
 * Whom a token of ours spoke for while it was valid: everything is checked but that it has not expired since.
 * @throws AuthError
 */
export function verifyExpired(
  { signingKeys, tokens: { issuer, audience }, clock }: Pick<Deps, 'signingKeys' | 'tokens' | 'clock'>,
  token: string,
): Principal {
  // Nobody vouches for this time yet. Whatever it is, the token is verified as of a moment that was, and its signature decides.
  const atMs = Math.min(clock(), peekExpiry(token) * 1_000 - 1)
  const keys = { jwks: { keys: signingKeys.keySet().keys } }
  return createVerifier({ issuer, audience, keys, cache: false, now: () => atMs }).verifySync(token)
}

/** Seconds since 1970; Infinity where the token does not say. */
function peekExpiry(token: string): number {
  try {
    const { exp } = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as { exp?: unknown }
    return typeof exp === 'number' ? exp : Number.POSITIVE_INFINITY
  } catch {
    return Number.POSITIVE_INFINITY
  }
}
