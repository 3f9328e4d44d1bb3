import { problem } from '@signet/kernel'
import type { Principal } from '@signet/verifier'
import type { Deps, RequestFacts } from '../../deps.ts'
import { findSelfInPerson, type Self } from '../sessions/index.ts'

/**
 * Whoever asks for a token, in person: one that was made while acting for somebody would be a way to act for their clients too.
 * @throws Problem `session-ended`, `acting-for-somebody`, `password-change-required`
 */
export async function findAdvisor(deps: Deps, principal: Principal, request: RequestFacts): Promise<Self> {
  const self = await findSelfInPerson(deps, principal, request)
  if (self.mustChangePassword) throw problem('password-change-required')
  return self
}
