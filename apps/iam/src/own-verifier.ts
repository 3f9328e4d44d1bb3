/** The issuer verifies its own tokens with the keys that it holds: no network, and a change of the ring counts at once. */
import type { Clock } from '@signet/kernel'
import { createVerifier, type Verifier } from '@signet/verifier'
import type { TokenSettings } from './deps.ts'
import type { SigningKeys } from './modules/keys/index.ts'

export function createOwnVerifier(
  signingKeys: SigningKeys,
  { issuer, audience }: TokenSettings,
  clock: Clock,
): Verifier {
  const build = () =>
    createVerifier({ issuer, audience, keys: { jwks: { keys: signingKeys.keySet().keys } }, now: clock })
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
