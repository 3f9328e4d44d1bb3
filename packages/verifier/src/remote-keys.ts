// The published keys of an issuer.

import { AuthError } from './errors.ts'
import { importKeys, type KeyIgnored, type VerificationKey, type VerificationKeys } from './key-set.ts'
import type { KeySource } from './key-source.ts'
import type { Platform } from './platform.ts'
import { Renewal, type RenewalOptions } from './renewal.ts'

export interface RemoteKeysOptions extends Omit<RenewalOptions, 'load' | 'isHeld'> {
  /** Fetches the JWK set. */
  readonly fetchKeys: () => Promise<unknown>
  /** Keys older than this are renewed in the background; older than twice this, a request waits for it once. */
  readonly refreshEveryMs: number
  readonly platform: Platform
  readonly keyIgnored: KeyIgnored
  readonly refreshed: (kids: readonly string[]) => void
}

export class RemoteKeys implements KeySource {
  readonly #options: RemoteKeysOptions
  readonly #renewal: Renewal
  #keys: VerificationKeys = new Map()

  constructor(options: RemoteKeysOptions) {
    this.#options = options
    this.#renewal = new Renewal({ ...options, load: () => this.#load(), isHeld: () => this.#keys.size > 0 })
  }

  find(kid: string, wallMs: number, mayWait: boolean): VerificationKey | Promise<void> {
    const ageMs = this.#renewal.ageMs(wallMs)
    const key = this.#keys.get(kid)
    if (key !== undefined && ageMs <= this.#options.refreshEveryMs) return key
    return this.#findLate(key, ageMs, mayWait)
  }

  /** Fetches the keys where there are none that may be used. Throws `keys_unavailable`. */
  async warmUp(): Promise<void> {
    if (!this.isReady()) await this.#renewal.start()
    if (!this.isReady()) throw this.#unavailable()
  }

  isReady(): boolean {
    return this.#renewal.isUsable(this.ageMs())
  }

  /** Time since the issuer last confirmed the keys; Infinity before the first time. */
  ageMs(): number {
    return this.#renewal.ageMs(this.#options.clock.wallMs())
  }

  list() {
    return Array.from(this.#keys.values(), key => key.jwk)
  }

  /** The issuer says that its keys have changed: they are fetched at once, whatever the cool-down. */
  renew(): void {
    this.#renewal.force()
  }

  #findLate(key: VerificationKey | undefined, ageMs: number, mayWait: boolean): VerificationKey | Promise<void> {
    const fetching = this.#renewal.start()
    const isUsable = this.#renewal.isUsable(ageMs)
    // A service that was idle may hold a removed key: the first request after twice the interval waits for the issuer's
    // word. After a failed fetch nobody waits any more, so that a dead issuer does not slow its services down.
    const isOverdue = ageMs > 2 * this.#options.refreshEveryMs && this.#renewal.failure === undefined
    if (mayWait && fetching !== undefined && (!isUsable || key === undefined || isOverdue)) return fetching
    if (!isUsable) throw this.#unavailable()
    if (key === undefined) throw new AuthError('unknown_key')
    return key
  }

  #unavailable(): AuthError {
    return new AuthError('keys_unavailable', undefined, { cause: this.#renewal.failure })
  }

  async #load(): Promise<void> {
    const { fetchKeys, keyIgnored, platform, refreshed } = this.#options
    this.#keys = importKeys(await fetchKeys(), this.#keys, platform, keyIgnored)
    refreshed([...this.#keys.keys()])
    // An issuer that publishes no usable key makes its services unavailable; their callers are not at fault.
    if (this.#keys.size === 0) throw new Error('The issuer publishes no key that can be used.')
  }
}
