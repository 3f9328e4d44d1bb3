/**
 * When a message is tried again: full jitter over a base that doubles, so that what failed together does not come back together.
 * It is given up once it has had both its attempts and its day: an outage of an evening loses nothing, and neither does a
 * worker that was away for a week.
 */

const baseMs = 1_000
const longestMs = 15 * 60_000
const leastAttempts = 12
const patienceMs = 24 * 3_600_000

export interface Attempted {
  /** The failed one included. */
  readonly attempts: number
  readonly createdAt: Date
  readonly expiresAt: Date | null
}

/**
 * Milliseconds until the next attempt; undefined where there is none. A message that expires is tried again before at least
 * half of what is left of its life has passed: a pause that outlives a code would lose it.
 * @param random from 0 up to, but not including, 1
 */
export function nextAttemptMs(message: Attempted, nowMs: number, random: () => number): number | undefined {
  const { attempts, createdAt, expiresAt } = message
  if (attempts >= leastAttempts && nowMs - createdAt.getTime() >= patienceMs) return undefined
  const ceiling = Math.min(longestMs, baseMs * 2 ** Math.min(attempts - 1, 20))
  const lifeLeft = expiresAt === null ? Infinity : expiresAt.getTime() - nowMs
  return Math.min(random() * ceiling, Math.max(baseMs, lifeLeft / 2))
}
