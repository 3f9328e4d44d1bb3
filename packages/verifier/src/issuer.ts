// All that a verifier holds of one issuer: its keys, its lists of ended sessions, its tenants' bundles. Nothing of one issuer
// ever counts for a token of another.

import type { Bundles } from './bundles.ts'
import type { Clock } from './clock.ts'
import type { KeyIgnored } from './key-set.ts'
import type { KeySource } from './key-source.ts'
import { createStaticKeys } from './key-source.ts'
import type { Settings } from './options.ts'
import type { Platform } from './platform.ts'
import type { StatusLists } from './status-lists.ts'

export interface Issuer {
  readonly keys: KeySource
  /** Undefined where revocations are not looked at. */
  readonly lists: StatusLists | undefined
  /** Undefined until the first of them is needed. */
  bundles(): Bundles | undefined
  /** Undefined where nothing is fetched. Otherwise as `Bundles.ensure`. */
  ensureBundle(tenant: string, token: string, wallMs: number, mayWait: boolean): Promise<void> | undefined
  health(): Health
  /** Fetches keys and lists. Rejects with `keys_unavailable` or `revocation_unavailable`. */
  warmUp(): Promise<void>
}

export interface Health {
  /** There are keys that may be used, and no list is too old to be. */
  readonly ready: boolean
  readonly keys: number
  /** Since the issuer last confirmed the keys; Infinity before the first time. */
  readonly keysAgeMs: number
  /** Of the list that was confirmed longest ago, where there is one. */
  readonly revocationAgeMs?: number
}

export interface IssuerDeps {
  readonly settings: Settings
  readonly clock: Clock
  readonly platform: Platform
  readonly keyIgnored: KeyIgnored
  /** Aborted when the verifier is closed. */
  readonly closing: AbortSignal
}

/** An issuer whose keys were given and of whom nothing else is ever known. Throws a TypeError when no key can be used. */
export function createStaticIssuer(document: unknown, { keyIgnored, platform }: IssuerDeps): Issuer {
  const keys = createStaticKeys(document, platform, keyIgnored)
  return {
    keys,
    lists: undefined,
    bundles: () => undefined,
    ensureBundle: () => undefined,
    health: () => ({ ready: true, keys: keys.list().length, keysAgeMs: 0 }),
    warmUp: () => Promise.resolve(),
  }
}
