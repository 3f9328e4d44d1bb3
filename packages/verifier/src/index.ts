// The door of @signet/verifier.

export type { RequestHeaders } from './authenticate.ts'
export type { AccessClaims } from './claims.ts'
export { AuthError, type Problem, type Reason } from './errors.ts'
export type { PublicJwk } from './key-set.ts'
export type { Need } from './need.ts'
export type { KeyOptions, VerifierEvents, VerifierOptions } from './options.ts'
export type { Principal } from './principal.ts'
export { createVerifier, type Verifier } from './verifier.ts'
