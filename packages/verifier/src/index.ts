// The door of @signet/verifier on Node, Bun and Deno.

import type { VerifierOptions } from './options.ts'
import { node } from './platform-node.ts'
import { createVerifierOn, type Verifier } from './verifier.ts'

export type { RequestHeaders } from './authenticate.ts'
export type { AccessClaims } from './claims.ts'
export { AuthError, type Problem, type Reason } from './errors.ts'
export type { PublicJwk } from './key-set.ts'
export type { Need } from './need.ts'
export type { KeyOptions, RevocationOptions, VerifierEvents, VerifierOptions } from './options.ts'
export type { Resource } from './policies/question.ts'
export type { Explanation } from './policies/reasons.ts'
export type { Principal } from './principal.ts'
export type { Verifier }

/** Throws a TypeError for wrong options. Fetches nothing before the first token or `warmUp`. */
export function createVerifier(options: VerifierOptions): Verifier {
  return createVerifierOn(node, options)
}
