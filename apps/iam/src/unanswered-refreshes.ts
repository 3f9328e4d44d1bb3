/**
 * Refresh tokens that this process could give no answer to, as the database failed: whether they were spent it does not know. A
 * repeat of one counts from when it was first presented, so that a database that hangs signs nobody out (decision 0022 of apps/iam).
 */

import type { Clock } from '@signet/kernel'
import type { RefreshToken } from './refresh-token.ts'

export interface UnansweredRefreshes {
  /** When it was first presented, in milliseconds since 1970; undefined where it has had its answer or is new. */
  since(token: RefreshToken): number | undefined
  /** Keeps the earlier moment of a token that is kept already. */
  add(token: RefreshToken, presentedAt: number): void
  remove(token: RefreshToken): void
}

/** Whoever comes back later is beyond the grace. */
const keptMs = 600_000
/** Of them the first ones go: what was presented with them is beyond the grace when it comes back. */
const most = 10_000

export function createUnansweredRefreshes(clock: Clock): UnansweredRefreshes {
  // In the order in which they were first presented.
  const moments = new Map<string, number>()
  const keyOf = ({ hash }: RefreshToken) => hash.toString('base64url')

  function dropOld(): void {
    for (const [key, presentedAt] of moments) {
      if (moments.size <= most && clock() - presentedAt <= keptMs) break
      moments.delete(key)
    }
  }

  return {
    since: token => {
      if (moments.size === 0) return undefined
      dropOld()
      return moments.get(keyOf(token))
    },
    add: (token, presentedAt) => {
      const key = keyOf(token)
      if (!moments.has(key)) moments.set(key, presentedAt)
      dropOld()
    },
    remove: token => {
      if (moments.size > 0) moments.delete(keyOf(token))
    },
  }
}
