// The authorization bundles of one issuer's tenants. Each is fetched when it is first needed, renewed while it is used, and
// never replaced by an older one. Nothing of a bundle is looked at before its signature, its tenant and its form are right.

import type { Clock } from './clock.ts'
import type { FetchIssuer } from './fetch-document.ts'
import { type Decider, createDecider } from './policies/decider.ts'
import type { PolicyEngine } from './policies/engine.ts'
import { readBundle } from './read-bundle.ts'
import { Renewal, type RenewalOptions } from './renewal.ts'
import { openSignedDocument, type SignedDocumentRules } from './signed-document.ts'

export interface BundlesOptions
  extends Pick<SignedDocumentRules, 'issuer' | 'keys' | 'platform' | 'toleranceMs'>,
    Pick<RenewalOptions, 'closing' | 'stale'> {
  readonly clock: Clock
  /** What the issuer's addresses begin with. */
  readonly name: string
  readonly fetch: FetchIssuer
  readonly serviceKey: string | undefined
}

// Thousands of roles and policies; a response beyond is a mistake or an attack.
const maxChars = 8_388_608
const defaultTtlMs = 60_000
const retryMs = 5_000
/** Prepared policies take about a megabyte a tenant. */
const mostTenants = 200

export class Bundles {
  readonly #options: BundlesOptions
  readonly #tenants = new Map<string, TenantBundle>()

  constructor(options: BundlesOptions) {
    this.#options = options
  }

  find(tenant: string): TenantBundle | undefined {
    return this.#tenants.get(tenant)
  }

  /**
   * Fetches what is missing or too old, with the service key or the token, which must be good. With `mayWait`, a promise where
   * there is nothing to decide by yet; it never rejects.
   */
  ensure(tenant: string, token: string, wallMs: number, mayWait: boolean): Promise<void> | undefined {
    let bundle = this.#tenants.get(tenant)
    if (bundle === undefined) {
      bundle = new TenantBundle(tenant, this.#options)
      this.#makeRoom()
      this.#tenants.set(tenant, bundle)
    }
    return bundle.ensure(token, wallMs, mayWait)
  }

  /** The issuer says that the tenant's bundle has this version now. */
  announce(tenant: string, version: number): void {
    this.#tenants.get(tenant)?.announce(version)
  }

  /** What is said of all tenants may concern each. */
  renewAll(): void {
    for (const bundle of this.#tenants.values()) bundle.renew()
  }

  close(): void {
    for (const bundle of this.#tenants.values()) bundle.close()
    this.#tenants.clear()
  }

  #makeRoom(): void {
    if (this.#tenants.size < mostTenants) return
    const [longestUnused] = [...this.#tenants].reduce((a, b) => (b[1].usedAtMs < a[1].usedAtMs ? b : a))
    this.#tenants.get(longestUnused)?.close()
    this.#tenants.delete(longestUnused)
  }
}

export class TenantBundle {
  usedAtMs = 0
  readonly #tenant: string
  readonly #options: BundlesOptions
  readonly #renewal: Renewal
  #decider: Decider | undefined
  /** The highest that was seen. */
  #version = 0
  /** When what is held was last known to be what the issuer has, in milliseconds since 1970. */
  #confirmedAtMs = 0
  #untilMs = 0
  #ttlMs = defaultTtlMs
  #etag: string | null = null
  #token = ''

  constructor(tenant: string, options: BundlesOptions) {
    this.#tenant = tenant
    this.#options = options
    this.#renewal = new Renewal({
      ...options,
      load: () => this.#load(),
      isHeld: () => options.clock.wallMs() < this.#untilMs,
      gapMs: retryMs,
      // Until it expires, as the issuer says.
      maxStaleMs: Number.MAX_SAFE_INTEGER,
    })
  }

  get decider(): Decider | undefined {
    return this.#decider
  }

  get confirmedAtMs(): number {
    return this.#confirmedAtMs
  }

  ensure(token: string, wallMs: number, mayWait: boolean): Promise<void> | undefined {
    this.usedAtMs = wallMs
    if (this.#decider !== undefined && wallMs >= this.#untilMs) this.close()
    const ageMs = this.#renewal.ageMs(wallMs)
    if (this.#decider !== undefined && ageMs <= this.#ttlMs / 2) return undefined
    this.#token = token
    const fetching = this.#renewal.start()
    // After a failed fetch nobody waits: many need no permission, and a dead issuer does not slow them down.
    const isHopeful = this.#renewal.failure === undefined
    return mayWait && isHopeful && (this.#decider === undefined || ageMs > this.#ttlMs) ? fetching : undefined
  }

  announce(version: number): void {
    if (this.#version < version) this.renew()
  }

  renew(): void {
    this.#renewal.force()
  }

  close(): void {
    this.#decider?.close()
    this.#decider = undefined
    this.#untilMs = 0
  }

  async #load(): Promise<void> {
    const { clock, fetch, name, platform, serviceKey } = this.#options
    const askedAtMs = clock.wallMs()
    const answer = await fetch(`${name}/bundles/${encodeURIComponent(this.#tenant)}`, {
      accept: 'application/jwt',
      maxBytes: maxChars,
      etag: this.#decider === undefined ? null : this.#etag,
      headers: serviceKey === undefined ? { authorization: `Bearer ${this.#token}` } : { 'x-api-key': serviceKey },
    })
    if (answer !== undefined) {
      const rules = { ...this.#options, typ: 'authz-bundle+jwt', subject: this.#tenant, maxChars }
      const { payload, untilMs } = await openSignedDocument(answer.text, rules)
      const bundle = readBundle(this.#tenant, payload)
      if (bundle.version < this.#version) throw new Error('The bundle is older than the one held.')
      const engine = bundle.policies.length === 0 ? undefined : await loadEngine(platform)
      this.#decider?.close()
      this.#decider = createDecider(bundle, engine)
      this.#version = bundle.version
      this.#untilMs = untilMs
      this.#etag = answer.etag
      const { ttl } = payload
      this.#ttlMs = typeof ttl === 'number' && ttl >= 1 ? ttl * 1000 : defaultTtlMs
    }
    this.#confirmedAtMs = askedAtMs
  }
}

/** Undefined where Cedar is not installed: what policies have a say in cannot be decided then. */
function loadEngine(platform: BundlesOptions['platform']): Promise<PolicyEngine | undefined> {
  return platform.loadPolicyEngine().catch(() => undefined)
}
