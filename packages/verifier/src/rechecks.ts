// Whoever was let in by a token stays only while that token would let them in again. A request is over before its token
// is; a WebSocket or a gRPC stream is not, so its token is asked about again every few seconds, and the moment it expires
// ends it: how far clocks may differ is for judging a token that arrives, not for how long a connection may live.

import { AuthError } from './errors.ts'
import type { Principal } from './principal.ts'

export interface RecheckOptions {
  /** How often the tokens of open connections are verified again, in milliseconds. Default 5,000. */
  readonly recheckEveryMs?: number
  /** The time in milliseconds since 1970, for tests: the one that the verifier was given. */
  readonly now?: () => number
}

/** A token that was accepted, and how to ask the verifier about it again. */
export interface Admission {
  readonly principal: Principal
  readonly verify: () => Promise<Principal>
}

const defaultEveryMs = 5_000
const maxEveryMs = 3_600_000
// A cached check takes under a microsecond and an uncached one some twenty: other work gets its turn after so many.
const checksPerTurn = 250

/** All that one guard has let in. One unref'd timer serves them all, and there is none while there are none. */
export class Rechecks {
  readonly #held = new Set<Hold>()
  readonly #everyMs: number
  readonly #now: () => number
  #timer: NodeJS.Timeout | undefined
  #sweeping = false

  /** Throws a TypeError for an interval that is no whole number of milliseconds from 1 to 3,600,000. */
  constructor({ recheckEveryMs = defaultEveryMs, now = () => Date.now() }: RecheckOptions) {
    if (!Number.isSafeInteger(recheckEveryMs) || recheckEveryMs < 1 || recheckEveryMs > maxEveryMs) {
      throw new TypeError(`recheckEveryMs must be a whole number of at least 1 and at most ${maxEveryMs}`)
    }
    if (typeof now !== 'function') throw new TypeError('now must be a function')
    this.#everyMs = recheckEveryMs
    this.#now = now
  }

  get size(): number {
    return this.#held.size
  }

  /** Throws `expired` for a token that the verifier still bears with because clocks differ: nothing is opened on it. */
  assertLasting(principal: Principal): void {
    if (this.leftMs(principal) <= 0) throw new AuthError('expired')
  }

  /** Calls `end` once, when the token is refused or has expired; never after `release`. */
  hold(admission: Admission, end: (refusal: AuthError) => void): Hold {
    const hold = new Hold(this, admission, end)
    this.#held.add(hold)
    this.#arm()
    return hold
  }

  /** For a Hold alone. */
  drop(hold: Hold): void {
    this.#held.delete(hold)
    if (this.#held.size > 0) return
    clearTimeout(this.#timer)
    this.#timer = undefined
  }

  /** Zero or less when it is over, which a clock that says NaN makes it. */
  leftMs(principal: Principal): number {
    const leftMs = principal.claims.exp * 1000 - this.#now()
    return Number.isNaN(leftMs) ? 0 : leftMs
  }

  /** What ends before this gets a timer of its own; everything else is looked at again before it ends. */
  get horizonMs(): number {
    return 2 * this.#everyMs
  }

  #arm(): void {
    if (this.#timer !== undefined || this.#sweeping || this.#held.size === 0) return
    this.#timer = setTimeout(() => this.#sweep(), this.#everyMs).unref()
  }

  // Whoever comes or goes meanwhile is met or not: a Set allows both while it is walked.
  #sweep(): void {
    this.#timer = undefined
    this.#sweeping = true
    const walk = this.#held.values()
    const takeTurn = () => {
      for (let checks = 0; checks < checksPerTurn; checks++) {
        const next = walk.next()
        if (next.done === true) {
          this.#sweeping = false
          this.#arm()
          return
        }
        next.value.check()
      }
      setImmediate(takeTurn).unref()
    }
    takeTurn()
  }
}

/** One open connection and the token that it stands on. */
export class Hold {
  readonly #rechecks: Rechecks
  readonly #end: (refusal: AuthError) => void
  #admission: Admission
  #principal: Principal
  #expiry: NodeJS.Timeout | undefined
  #asked: Admission | undefined
  #open = true

  constructor(rechecks: Rechecks, admission: Admission, end: (refusal: AuthError) => void) {
    this.#rechecks = rechecks
    this.#admission = admission
    this.#principal = admission.principal
    this.#end = end
    this.#watchExpiry()
  }

  get isOpen(): boolean {
    return this.#open
  }

  /** As of the last check; still there when the connection has closed. */
  get principal(): Principal {
    return this.#principal
  }

  /** Stands on another token from now on. What an earlier check of the old one finds counts no more. */
  renew(admission: Admission): void {
    this.#admission = admission
    this.#principal = admission.principal
    this.#watchExpiry()
  }

  release(): void {
    this.#open = false
    clearTimeout(this.#expiry)
    this.#expiry = undefined
    this.#rechecks.drop(this)
  }

  /** Asks the verifier, unless it is still thinking about this token. */
  check(): void {
    if (!this.#open) return
    if (this.#rechecks.leftMs(this.#principal) <= 0) {
      this.#finish(new AuthError('expired'))
      return
    }
    if (this.#expiry === undefined) this.#watchExpiry()
    if (this.#asked !== this.#admission) void this.#ask(this.#admission)
  }

  async #ask(admission: Admission): Promise<void> {
    this.#asked = admission
    try {
      const principal = await admission.verify()
      if (this.#admission === admission) this.#principal = principal
    } catch (error) {
      if (this.#admission === admission) this.#finish(toRefusal(error))
    } finally {
      if (this.#asked === admission) this.#asked = undefined
    }
  }

  #finish(refusal: AuthError): void {
    if (!this.#open) return
    this.release()
    this.#end(refusal)
  }

  // Timers may fire a little early, and the clock of a test stands still: whoever is woken looks again.
  #watchExpiry(): void {
    clearTimeout(this.#expiry)
    this.#expiry = undefined
    const leftMs = this.#rechecks.leftMs(this.#principal)
    if (!this.#open || leftMs > this.#rechecks.horizonMs) return
    this.#expiry = setTimeout(
      () => {
        this.#expiry = undefined
        this.check()
      },
      Math.max(1, leftMs),
    ).unref()
  }
}

/**
 * The refusal that something thrown stands for. What is no AuthError is somebody's mistake: nobody gets in by it, the
 * process lives on, and a warning names its kind, but not its text, which may quote a token.
 */
export function toRefusal(error: unknown): AuthError {
  if (error instanceof AuthError) return error
  const kind = error instanceof Error ? error.name : typeof error
  process.emitWarning(`A Signet verifier threw a ${kind} where it should have refused or accepted a token.`)
  return new AuthError('keys_unavailable', 'The token could not be checked.', { cause: error })
}
