/**
 * For services that ask whether a password is right and sign nobody in. To us it is a sign-in whose session is over at once: its
 * limits, its locks and its events are those of any other, so that it is no second door to guess at.
 */
import type { Deps, RequestFacts } from '../../deps.ts'
import { verifyExpired } from '../../own-verifier.ts'
import { findSelf, type Self } from '../sessions/index.ts'
import { revokeTokens } from '../tokens/index.ts'
import { signInByPassword } from './service.ts'

/** @throws Problem `invalid-credentials`, `too-many-attempts`, `hashing-busy` */
export async function verifyPassword(
  deps: Deps,
  person: { readonly email: string; readonly password: string },
  request: RequestFacts,
): Promise<Self> {
  const { access_token = '', refresh_token = '' } = await signInByPassword(deps, person, request)
  try {
    return await findSelf(deps, verifyExpired(deps, access_token), request, { beforePasswordChange: true })
  } finally {
    await revokeTokens(deps, refresh_token, request)
  }
}
