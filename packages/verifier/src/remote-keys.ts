// The published keys of an issuer: fetched once however many ask, at most once a cool-down, renewed in the background,
// kept when the issuer fails, and never used beyond their maximum age. No timer runs: requests drive it.

import { type Clock, type Moment, measureAge, takeMoment } from './clock.ts'
import { AuthError } from './errors.ts'
import { fetchDocument } from './fetch-document.ts'
import { importKeys, type KeyIgnored, type VerificationKey, type VerificationKeys } from './key-set.ts'
import type { KeySource } from './key-source.ts'

export interface RemoteKeysOptions {
  readonly uri: string
  readonly fetch: typeof fetch
  readonly timeoutMs: number
  /** Keys older than this are renewed in the background; older than twice this, a request waits for it once. */
  readonly refreshEveryMs: number
  /** The least time between two fetches while the keys held may be used. */
  readonly cooldownMs: number
  /** Keys older than this verify nothing. */
  readonly maxStaleMs: number
  readonly clock: Clock
  readonly keyIgnored: KeyIgnored
  readonly refreshed: (kids: readonly string[]) => void
  readonly stale: (ageMs: number) => void
}

// Without usable keys every request is refused: then we try again sooner than the cool-down.
const retryWithoutKeysMs = 1_000

export function createRemoteKeys(options: RemoteKeysOptions): KeySource {
  return new RemoteKeys(options)
}

class RemoteKeys implements KeySource {
  readonly #options: RemoteKeysOptions
  readonly #closing = new AbortController()
  #keys: VerificationKeys = new Map()
  #confirmed: Moment | undefined
  #fetching: Promise<void> | undefined
  #nextFetchAt = Number.NEGATIVE_INFINITY
  #failure: unknown

  constructor(options: RemoteKeysOptions) {
    this.#options = options
  }

  find(kid: string, wallMs: number, mayWait: boolean): VerificationKey | Promise<void> {
    const ageMs = this.#measureAge(wallMs)
    const key = this.#keys.get(kid)
    if (key !== undefined && ageMs <= this.#options.refreshEveryMs) return key
    return this.#findLate(key, ageMs, mayWait)
  }

  async warmUp(): Promise<void> {
    if (!this.isReady()) await this.#refresh()
    if (!this.isReady()) throw this.#unavailable()
  }

  isReady(): boolean {
    return this.#isUsable(this.ageMs())
  }

  size(): number {
    return this.#keys.size
  }

  ageMs(): number {
    return this.#measureAge(this.#options.clock.wallMs())
  }

  list() {
    return Array.from(this.#keys.values(), key => key.jwk)
  }

  close(): void {
    this.#closing.abort(new Error('The verifier was closed.'))
  }

  #findLate(key: VerificationKey | undefined, ageMs: number, mayWait: boolean): VerificationKey | Promise<void> {
    const fetching = this.#refresh()
    const usable = this.#isUsable(ageMs)
    // A service that was idle may hold a removed key: the first request after twice the interval waits for the issuer's
    // word. After a failed fetch nobody waits any more, so that a dead issuer does not slow its services down.
    const overdue = ageMs > 2 * this.#options.refreshEveryMs && this.#failure === undefined
    if (mayWait && fetching !== undefined && (!usable || key === undefined || overdue)) return fetching
    if (!usable) throw this.#unavailable()
    if (key === undefined) throw new AuthError('unknown_key')
    return key
  }

  #measureAge(wallMs: number): number {
    if (this.#confirmed === undefined) return Number.POSITIVE_INFINITY
    return measureAge(this.#options.clock, this.#confirmed, wallMs)
  }

  // An issuer that publishes no usable key makes its services unavailable; their callers are not at fault.
  #isUsable(ageMs: number): boolean {
    return this.#keys.size > 0 && ageMs <= this.#options.maxStaleMs
  }

  #unavailable(): AuthError {
    return new AuthError('keys_unavailable', undefined, { cause: this.#failure })
  }

  // The fetch under way, a new one where one is allowed, or nothing. Never rejects.
  #refresh(): Promise<void> | undefined {
    if (this.#fetching !== undefined) return this.#fetching
    const now = this.#options.clock.monotonicMs()
    if (this.#closing.signal.aborted || now < this.#nextFetchAt) return undefined
    this.#nextFetchAt = now + this.#options.cooldownMs
    this.#fetching = this.#load().finally(() => {
      this.#fetching = undefined
    })
    return this.#fetching
  }

  async #load(): Promise<void> {
    const { clock, fetch, keyIgnored, maxStaleMs, refreshed, stale, timeoutMs, uri } = this.#options
    // The keys are as old as the question, not as the answer, which may have been long on its way.
    const asked = takeMoment(clock)
    try {
      const document = await fetchDocument({ uri, fetch, timeoutMs, signal: this.#closing.signal })
      this.#keys = importKeys(document, this.#keys, keyIgnored)
      this.#confirmed = asked
      this.#failure = undefined
      refreshed([...this.#keys.keys()])
    } catch (error) {
      this.#failure = error
      if (this.#keys.size > 0 && this.ageMs() <= maxStaleMs) stale(this.ageMs())
    }
    if (!this.isReady()) {
      const { cooldownMs } = this.#options
      this.#nextFetchAt = clock.monotonicMs() + Math.min(cooldownMs, retryWithoutKeysMs)
    }
  }
}
