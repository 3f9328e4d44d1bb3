// The time by which keys and tokens age. A wall clock that is set back must not keep old keys alive, and a monotonic
// clock that stands still while the machine sleeps must not either: the age of something is the larger of the two.

export interface Clock {
  /** Milliseconds since 1970. */
  wallMs(): number
  /** Milliseconds that never run backwards. */
  monotonicMs(): number
}

/** The given clock counts for both, so that a test moves one hand only. */
export function createClock(now: (() => number) | undefined): Clock {
  if (now !== undefined) return { wallMs: now, monotonicMs: now }
  return { wallMs: () => Date.now(), monotonicMs: () => performance.now() }
}

export interface Moment {
  readonly wallMs: number
  readonly monotonicMs: number
}

export function takeMoment(clock: Clock): Moment {
  return { wallMs: clock.wallMs(), monotonicMs: clock.monotonicMs() }
}

export function measureAge(clock: Clock, since: Moment, wallMs: number): number {
  return Math.max(wallMs - since.wallMs, clock.monotonicMs() - since.monotonicMs)
}
