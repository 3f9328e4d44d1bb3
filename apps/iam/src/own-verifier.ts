/** The issuer verifies its own tokens with the keys that it holds: no network, and a change of the ring counts at once. */
import { createVerifier, type Verifier } from '@signet/verifier'
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
