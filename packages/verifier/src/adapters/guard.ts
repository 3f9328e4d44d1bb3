// The guard that frameworks without a place for a route's needs are given: a function that takes a need and makes a
// middleware of it.

import { type Access, readAccess, type Rule } from './access.ts'
import { createGate, type Gate, type GuardOptions } from './gate.ts'

export interface Guard<Middleware> {
  /**
   * A middleware that lets in who meets the need; without one, whoever has a valid token. It stands before whatever reads a
   * body. Throws a TypeError for a need that could not mean what was intended.
   */
  (access?: Access): Middleware
  /** A middleware that serves the metadata of `resourceMetadata` and nothing else, for programs whose guards stand at single routes. */
  metadata(): Middleware
}

/** @throws TypeError for wrong options */
export function createGuard<Middleware>(
  options: GuardOptions,
  adapt: (gate: Gate, rule: 'public' | Rule) => Middleware,
): Guard<Middleware> {
  const gate = createGate(options)
  const guard = (access: Access = {}, ...more: readonly unknown[]): Middleware => {
    // A framework calls it so when it was handed over as if it were a middleware.
    if (more.length > 0)
      throw new TypeError('Call the guard where it is used: guard(), or guard({ permissions: [...] })')
    return adapt(gate, readAccess(access))
  }
  return Object.assign(guard, {
    metadata() {
      if (gate.resourceMetadata === undefined) throw new TypeError('signet was given no resourceMetadata to serve')
      return adapt(gate, 'public')
    },
  })
}
