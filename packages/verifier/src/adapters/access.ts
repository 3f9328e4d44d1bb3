// What a route says of its callers, in the words that all adapters share. It is read once, when the route is set up: what
// could not mean what was intended is a TypeError then, and not at the first request.

import { assertNeed, type Need } from '../need.ts'

/** A need, and what becomes of those who show nothing. `{}` asks for a valid token alone. */
export interface Requirement extends Need {
  /** Whoever sends no credentials at all passes, without a principal. Whoever sends bad ones is refused all the same. */
  readonly optional?: boolean
}

/** `'public'`: anybody. */
export type Access = 'public' | Requirement

/** A requirement that nobody meets without a principal. */
export type Mandatory = Requirement & { readonly optional?: false }

/** An access as a gate wants it. */
export interface Rule {
  readonly need: Need
  readonly optional: boolean
}

/** @throws TypeError */
export function readAccess(access: Access): 'public' | Rule {
  if (access === 'public') return access
  // A list, a string or null have no members to take out: `assertNeed` says what is wrong with them.
  if (typeof access !== 'object' || access === null || Array.isArray(access)) assertNeed(access)
  const { optional = false, ...need } = access
  if (typeof optional !== 'boolean') throw new TypeError('optional must be true or false')
  assertNeed(need)
  return { need, optional }
}
