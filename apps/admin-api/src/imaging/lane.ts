/** So many jobs at once and so many that wait; whoever comes after them is sent away at once. */
import type { Problem } from '@signet/kernel'

export interface LaneOptions {
  readonly maxConcurrent: number
  readonly queueLimit: number
  readonly busy: () => Problem
}

type Lane = <T>(job: () => Promise<T>) => Promise<T>

export function createLane({ maxConcurrent, queueLimit, busy }: LaneOptions): Lane {
  const waiting: (() => void)[] = []
  let running = 0
  return async job => {
    if (running + waiting.length >= maxConcurrent + queueLimit) throw busy()
    if (running < maxConcurrent) running += 1
    else await new Promise<void>(resolve => waiting.push(resolve))
    try {
      return await job()
    } finally {
      const next = waiting.shift()
      if (next === undefined) running -= 1
      else next()
    }
  }
}
