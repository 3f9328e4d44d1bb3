// Whether sessions have ended, by the status lists of one issuer (Token Status List). Within this process an end is final:
// the issuer gives no index out twice, so that no delayed answer of another node brings a session back.

import { AuthError } from './errors.ts'
import type { FetchIssuer } from './fetch-document.ts'
import { parseObject } from './jws.ts'
import type { RevocationOptions } from './options.ts'
import { Renewal, type RenewalOptions } from './renewal.ts'
import { openSignedDocument, type SignedDocumentRules } from './signed-document.ts'
import { inflateList, readStatus, setStatus, type StatusBits } from './status-list.ts'

type Documents = Pick<SignedDocumentRules, 'issuer' | 'keys' | 'platform' | 'clock' | 'toleranceMs'>

export interface StatusListsOptions extends Documents, Pick<RenewalOptions, 'closing' | 'stale' | 'maxStaleMs'> {
  /** What the issuer's addresses begin with. */
  readonly name: string
  readonly fetch: FetchIssuer
  readonly onStale: RevocationOptions['onStale']
}

// A list of 2^20 statuses of 8 bits that do not compress.
const maxChars = 2_097_152
const defaultTtlMs = 60_000
const retryMs = 5_000
const leastGapMs = 1_000

export class StatusLists {
  readonly #options: StatusListsOptions
  readonly #lists = new Map<string, StatusList>()

  constructor(options: StatusListsOptions) {
    this.#options = options
  }

  /** The list of an address that a token has named, whose signature was valid. Throws `invalid_claims`. */
  find(uri: string): StatusList {
    let list = this.#lists.get(uri)
    if (list === undefined) {
      if (!URL.canParse(uri)) throw new AuthError('invalid_claims', 'The claim status.status_list.uri must be a URI.')
      list = new StatusList(uri, this.#options)
      this.#lists.set(uri, list)
    }
    return list
  }

  /** Fetches every list that the issuer names, so that nobody has to wait for one. An issuer may have none. */
  async warmUp(): Promise<void> {
    const { fetch, name } = this.#options
    const request = { accept: 'application/json', maxBytes: maxChars }
    const answer = await fetch(`${name}/status-lists`, request).catch((error: { status?: number }) => {
      if (error.status !== 404) throw error
    })
    if (answer === undefined) return
    const { status_lists: uris } = parseObject(answer.text)
    if (!Array.isArray(uris)) throw new Error('The issuer names no status lists.')
    await Promise.all(uris.map(uri => this.find(String(uri)).warmUp()))
  }

  /** The issuer says that a session has ended. Lists that no token has named yet are fetched when one does. */
  revoke(uri: string, index: number): void {
    this.#lists.get(uri)?.revoke(index)
  }

  /** What was pushed meanwhile may have been missed. */
  renewAll(): void {
    for (const list of this.#lists.values()) list.renew()
  }

  /** Of the list that was confirmed longest ago; undefined where there is none. */
  ageMs(): number | undefined {
    const ages = Array.from(this.#lists.values(), list => list.ageMs())
    return ages.length === 0 ? undefined : Math.max(...ages)
  }
}

export class StatusList {
  readonly #uri: string
  readonly #options: StatusListsOptions
  readonly #renewal: Renewal
  #bytes: Uint8Array | undefined
  #bits: StatusBits = 1
  #ttlMs = defaultTtlMs
  /** Renewed at half its life, so that a busy service never waits; where less staleness is borne, at half of that. */
  #freshMs = 0
  #untilMs = 0
  #etag: string | null = null
  /** Ends that were pushed before there was a list: the answer under way may not know them. */
  readonly #pushed = new Set<number>()

  constructor(uri: string, options: StatusListsOptions) {
    this.#uri = uri
    this.#options = options
    this.#renewal = new Renewal({
      ...options,
      load: () => this.#load(),
      isHeld: () => options.clock.wallMs() < this.#untilMs,
      gapMs: Math.min(retryMs, Math.max(options.maxStaleMs / 2, leastGapMs)),
    })
  }

  /**
   * Throws `revoked`, `invalid_claims` or `revocation_unavailable`. `wallMs` is the present. With `mayWait`, a promise where a
   * fetch under way has to tell: ask again when it has settled; it never rejects.
   */
  check(index: number, wallMs: number, mayWait: boolean): Promise<void> | undefined {
    const ageMs = this.#renewal.ageMs(wallMs)
    if (!(ageMs <= this.#freshMs)) return this.#checkLate(index, ageMs, mayWait)
    this.#assertValid(index)
    return undefined
  }

  async warmUp(): Promise<void> {
    await this.#renewal.start()
    if (this.#renewal.failure !== undefined)
      throw new Error('A status list cannot be used.', { cause: this.#renewal.failure })
  }

  revoke(index: number): void {
    if (this.#bytes === undefined) this.#pushed.add(index)
    else setStatus(this.#bytes, this.#bits, index)
  }

  renew(): void {
    this.#renewal.force()
  }

  ageMs(): number {
    return this.#renewal.ageMs(this.#options.clock.wallMs())
  }

  #checkLate(index: number, ageMs: number, mayWait: boolean): Promise<void> | undefined {
    const fetching = this.#renewal.start()
    if (this.#bytes !== undefined) this.#assertValid(index)
    const isUsable = this.#renewal.isUsable(ageMs)
    // After a failed fetch nobody waits for a list that may still be used: a dead issuer does not slow its services down.
    const isHopeful = this.#renewal.failure === undefined
    const isDenied = !isUsable && this.#options.onStale === 'deny'
    if (mayWait && fetching !== undefined && (isDenied || (isHopeful && ageMs > this.#ttlMs))) return fetching
    if (isDenied) {
      throw new AuthError('revocation_unavailable', undefined, { cause: this.#renewal.failure })
    }
    return undefined
  }

  #assertValid(index: number): void {
    let status: number
    try {
      status = readStatus(this.#bytes!, this.#bits, index)
    } catch {
      // Nothing can be said of such a token, so it is refused (Token Status List section 8.3).
      throw new AuthError('invalid_claims', 'The claim status.status_list.idx is not in the list.')
    }
    if (status !== 0) throw new AuthError('revoked')
  }

  async #load(): Promise<void> {
    const options = this.#options
    const accept = 'application/statuslist+jwt'
    const etag = options.clock.wallMs() < this.#untilMs ? this.#etag : null
    const answer = await options.fetch(this.#uri, { accept, maxBytes: maxChars, etag })
    if (answer === undefined) return
    const rules = { ...options, typ: 'statuslist+jwt', subject: this.#uri, maxChars }
    const { payload, untilMs } = await openSignedDocument(answer.text, rules)
    const { bits, lst } = (payload.status_list ?? {}) as { bits?: unknown; lst?: unknown }
    if (!isBits(bits) || typeof lst !== 'string') throw new Error('The document is no status list.')
    const bytes = await inflateList(lst)
    if (bits === this.#bits) this.#bytes?.forEach((byte, at) => void (bytes[at]! |= byte))
    for (const index of this.#pushed) setStatus(bytes, bits, index)
    this.#pushed.clear()
    this.#bytes = bytes
    this.#bits = bits
    this.#untilMs = untilMs
    this.#etag = answer.etag
    const { ttl } = payload
    this.#ttlMs = typeof ttl === 'number' && ttl >= 1 ? ttl * 1000 : defaultTtlMs
    this.#freshMs = Math.min(this.#ttlMs, options.maxStaleMs) / 2
  }
}

function isBits(bits: unknown): bits is StatusBits {
  return bits === 1 || bits === 2 || bits === 4 || bits === 8
}
