// Options are read once and strictly: what is wrong, unknown or would do nothing is a TypeError at start, because a
// verifier that runs with a misspelt option is a verifier that does not do what its operator believes.

import type { Reason } from './errors.ts'

export interface KeyOptions {
  /** The issuer's JWK set as a document. Then nothing is ever fetched. */
  readonly jwks?: { readonly keys: readonly object[] }
  /** Where the JWK set is published. Default: the issuer followed by `/.well-known/jwks.json`. */
  readonly uri?: string
  readonly fetch?: typeof fetch
  /** The longest a fetch may take, answer included. Default 5,000. */
  readonly timeoutMs?: number
  /** Older keys are renewed in the background. Default 300,000. */
  readonly refreshEveryMs?: number
  /** The least time between two fetches, whatever key ids tokens name. Default 30,000. */
  readonly cooldownMs?: number
}

export interface VerifierEvents {
  keysRefreshed?(kids: readonly string[]): void
  /** A key of the issuer's set that is not used, and why. */
  keyIgnored?(why: string, kid: string | undefined): void
  rejected?(reason: Reason): void
  /** A fetch has failed and keys of this age go on serving. */
  stale?(what: 'keys', ageMs: number): void
}

export interface VerifierOptions {
  /** Exactly as in the claim `iss`. Each issuer has keys of its own. */
  readonly issuer: string | readonly string[]
  /** A token must name at least one of these in `aud`. */
  readonly audience: string | readonly string[]
  readonly keys?: KeyOptions
  /** Keys that the issuer has not confirmed for this long verify nothing. Default 3,600,000. */
  readonly keysMaxStaleMs?: number
  /** How far the clocks may differ: 0 to 300. Default 30. */
  readonly clockToleranceSeconds?: number
  /** How many verified tokens are remembered, or false. Default `{ max: 5000 }`, about 15 MB when full. */
  readonly cache?: false | { readonly max: number }
  /** The cookie that `authenticate` reads where no bearer token is sent. Default false: none. */
  readonly cookie?: string | false
  /** The time in milliseconds since 1970, for tests. */
  readonly now?: () => number
  readonly on?: VerifierEvents
}

/** Options with their defaults, as the verifier uses them. */
export interface Settings {
  readonly issuers: readonly { readonly issuer: string; readonly keys: KeysFrom }[]
  readonly audiences: readonly string[]
  readonly fetch: typeof fetch
  readonly timeoutMs: number
  readonly refreshEveryMs: number
  readonly cooldownMs: number
  readonly keysMaxStaleMs: number
  readonly toleranceMs: number
  readonly cacheMax: number
  readonly cookie: string | undefined
  readonly now: (() => number) | undefined
  readonly on: VerifierEvents
}

export type KeysFrom = { readonly uri: string } | { readonly jwks: unknown }

const knownOptions = [
  'issuer',
  'audience',
  'keys',
  'keysMaxStaleMs',
  'clockToleranceSeconds',
  'cache',
  'cookie',
  'now',
  'on',
]
const knownKeyOptions = ['jwks', 'uri', 'fetch', 'timeoutMs', 'refreshEveryMs', 'cooldownMs']
const knownEvents = ['keysRefreshed', 'keyIgnored', 'rejected', 'stale']
const maxToleranceSeconds = 300
// RFC 6265 section 4.1.1: a cookie name is a token of RFC 9110.
const cookieName = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/

/** Throws a TypeError that names the option. */
export function readOptions(options: VerifierOptions): Settings {
  assertMembers('options', options, knownOptions)
  const { keys = {}, on = {}, cache = { max: 5_000 }, cookie = false, now } = options
  assertMembers('keys', keys, knownKeyOptions)
  assertMembers('on', on, knownEvents)
  for (const [name, listener] of Object.entries(on)) assertFunction(`on.${name}`, listener)
  if (now !== undefined) assertFunction('now', now)
  if (cache !== false) assertMembers('cache', cache, ['max'])
  const issuers = readNames('issuer', options.issuer)
  const refreshEveryMs = readInteger('keys.refreshEveryMs', keys.refreshEveryMs ?? 300_000, 1)
  return {
    issuers: issuers.map(issuer => ({ issuer, keys: readKeysFrom(issuer, issuers.length, keys) })),
    audiences: readNames('audience', options.audience),
    fetch: readFetch(keys.fetch),
    timeoutMs: readInteger('keys.timeoutMs', keys.timeoutMs ?? 5_000, 1),
    refreshEveryMs,
    cooldownMs: readInteger('keys.cooldownMs', keys.cooldownMs ?? 30_000, 1),
    keysMaxStaleMs: readInteger(
      'keysMaxStaleMs',
      options.keysMaxStaleMs ?? Math.max(3_600_000, refreshEveryMs),
      refreshEveryMs,
    ),
    toleranceMs:
      1_000 * readInteger('clockToleranceSeconds', options.clockToleranceSeconds ?? 30, 0, maxToleranceSeconds),
    cacheMax: cache === false ? 0 : readInteger('cache.max', cache.max, 2),
    cookie: readCookieName(cookie),
    now,
    on,
  }
}

function readKeysFrom(issuer: string, issuers: number, keys: KeyOptions): KeysFrom {
  const { jwks, uri } = keys
  if (jwks === undefined && uri === undefined) {
    return { uri: readUrl('issuer', `${issuer.endsWith('/') ? issuer.slice(0, -1) : issuer}/.well-known/jwks.json`) }
  }
  // One set for several issuers would let each of them sign as all the others.
  if (issuers > 1) throw new TypeError('keys.jwks and keys.uri belong to one issuer: create one verifier for each')
  if (jwks === undefined) return { uri: readUrl('keys.uri', uri) }
  for (const name of ['uri', 'fetch', 'timeoutMs', 'refreshEveryMs', 'cooldownMs'] as const) {
    if (keys[name] !== undefined) throw new TypeError(`keys.${name} does nothing when keys.jwks is given`)
  }
  return { jwks }
}

function readUrl(name: string, value: unknown): string {
  if (typeof value === 'string' && URL.canParse(value) && ['http:', 'https:'].includes(new URL(value).protocol))
    return value
  throw new TypeError(`${name} must be an http or https URL where keys are fetched`)
}

function readFetch(given: typeof fetch | undefined): typeof fetch {
  if (given === undefined) return (input, init) => fetch(input, init)
  assertFunction('keys.fetch', given)
  return given
}

function readCookieName(cookie: unknown): string | undefined {
  if (cookie === false) return undefined
  if (typeof cookie === 'string' && cookieName.test(cookie)) return cookie
  throw new TypeError('cookie must be the name of a cookie, or false')
}

function readNames(name: string, value: unknown): readonly string[] {
  const names = [...new Set<unknown>(Array.isArray(value) ? value : [value])]
  if (names.length === 0) throw new TypeError(`${name} must not be an empty list`)
  for (const item of names) {
    if (typeof item !== 'string' || item === '')
      throw new TypeError(`${name} must be a string that is not empty, or a list of such`)
  }
  return names as string[]
}

function readInteger(name: string, value: unknown, min: number, max: number = Number.MAX_SAFE_INTEGER): number {
  if (Number.isSafeInteger(value) && (value as number) >= min && (value as number) <= max) return value as number
  throw new TypeError(
    `${name} must be a whole number of at least ${min}${max < Number.MAX_SAFE_INTEGER ? ` and at most ${max}` : ''}`,
  )
}

function assertFunction(name: string, value: unknown): void {
  if (typeof value !== 'function') throw new TypeError(`${name} must be a function`)
}

function assertMembers(name: string, value: unknown, known: readonly string[]): void {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new TypeError(`${name} must be an object`)
  for (const member of Object.keys(value)) {
    if (!known.includes(member)) throw new TypeError(`${name} has no member ${member}`)
  }
}
