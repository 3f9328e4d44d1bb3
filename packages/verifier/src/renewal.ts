// Something of the issuer's that goes out of date: fetched once however many ask, not again within a gap, kept when the
// issuer fails, and never used beyond its maximum age. No timer runs: requests drive it.

import { type Clock, type Moment, measureAge, takeMoment } from './clock.ts'

export interface RenewalOptions {
  /** Fetches and takes it in. Rejects where that cannot be. */
  readonly load: () => Promise<void>
  /** Is there anything that could be used, if it is not too old? */
  readonly isHeld: () => boolean
  /** A fetch has failed and what is held goes on serving. */
  readonly stale: (ageMs: number) => void
  /** The least time between the beginnings of two fetches. */
  readonly gapMs: number
  readonly maxStaleMs: number
  readonly clock: Clock
  /** Aborted when the verifier is closed: nothing is fetched any more. */
  readonly closing: AbortSignal
}

// With nothing to use every request is refused: then we try again sooner.
const retryWithNothingMs = 1_000

export class Renewal {
  /** Why the last fetch failed. */
  failure: unknown
  readonly #options: RenewalOptions
  #confirmed: Moment | undefined
  #running: Promise<void> | undefined
  #isAskedAgain = false
  #nextAt = Number.NEGATIVE_INFINITY

  constructor(options: RenewalOptions) {
    this.#options = options
  }

  /** Since the issuer last confirmed it; Infinity before the first time. `wallMs` is the present. */
  ageMs(wallMs: number): number {
    return this.#confirmed === undefined
      ? Number.POSITIVE_INFINITY
      : measureAge(this.#options.clock, this.#confirmed, wallMs)
  }

  isUsable(ageMs: number): boolean {
    return this.#options.isHeld() && ageMs <= this.#options.maxStaleMs
  }

  /** The fetch under way, a new one where one is allowed, or nothing. Never rejects. */
  start(): Promise<void> | undefined {
    if (this.#running === undefined && this.#options.clock.monotonicMs() >= this.#nextAt) this.#run()
    return this.#running
  }

  /** Fetches whatever the gap: one that is under way may have asked too early, so another one follows it. */
  force(): void {
    if (this.#running === undefined) this.#run()
    else this.#isAskedAgain = true
  }

  #run(): void {
    const { clock, closing, gapMs } = this.#options
    if (closing.aborted) return
    this.#nextAt = clock.monotonicMs() + gapMs
    this.#running = this.#load().finally(() => {
      this.#running = undefined
      if (this.#isAskedAgain) {
        this.#isAskedAgain = false
        this.#run()
      }
    })
  }

  async #load(): Promise<void> {
    const { clock, gapMs, load, stale } = this.#options
    // What comes is as old as the question, not as the answer, which may have been long on its way.
    const asked = takeMoment(clock)
    try {
      await load()
      this.#confirmed = asked
      this.failure = undefined
    } catch (error) {
      this.failure = error
    }
    const ageMs = this.ageMs(clock.wallMs())
    if (!this.isUsable(ageMs)) this.#nextAt = clock.monotonicMs() + Math.min(gapMs, retryWithNothingMs)
    else if (this.failure !== undefined) stale(ageMs)
  }
}
