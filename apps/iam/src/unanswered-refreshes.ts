/**
 * Refresh tokens that this process could give no answer to, as the database failed: whether they were spent it does not know. A
 * repeat of one counts from when it was first presented, so that a database that hangs signs nobody out (decision 0022 of apps/iam).
 */

import type { Clock } from '@signet/kernel'
import type { RefreshToken } from './refresh-token.ts'

export interface UnansweredRefreshes {
  /** When it was first presented, in milliseconds since 1970; undefined where it is new or has had its answer for the grace. */
  since(token: RefreshToken): number | undefined
  /** Keeps the earlier moment of a token that is kept already. */
  add(token: RefreshToken, presentedAt: number): void
  /** It has its answer. Other tabs may still come for it, and the answer may be lost: it is forgotten when the grace is over. */
  answered(token: RefreshToken): void
}

/** Whoever comes back later is beyond the grace. */
const keptMs = 600_000
/** As long as a repeat of any other refresh gets the same answer. */
const graceMs = 10_000
/** Of them the first ones go: what was presented with them is beyond the grace when it comes back. */
const most = 10_000

export function createUnansweredRefreshes(clock: Clock): UnansweredRefreshes {
  // In the order in which they were first presented.
  const kept = new Map<string, { readonly presentedAt: number; answeredAt?: number }>()
  const keyOf = ({ hash }: RefreshToken) => hash.toString('base64url')

  function dropOld(): void {
    for (const [key, { presentedAt }] of kept) {
      if (kept.size <= most && clock() - presentedAt <= keptMs) break
      kept.delete(key)
    }
  }

  return {
    since: token => {
      if (kept.size === 0) return undefined
      dropOld()
      const key = keyOf(token)
      const { presentedAt, answeredAt = Infinity } = kept.get(key) ?? {}
      if (clock() - answeredAt <= graceMs) return presentedAt
      kept.delete(key)
      return undefined
    },
    add: (token, presentedAt) => {
      const key = keyOf(token)
      if (!kept.has(key)) kept.set(key, { presentedAt })
      dropOld()
    },
    answered: token => {
      const found = kept.size > 0 ? kept.get(keyOf(token)) : undefined
      if (found !== undefined) found.answeredAt ??= clock()
    },
  }
}
