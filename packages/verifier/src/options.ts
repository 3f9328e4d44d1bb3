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
  /** A fetch has failed and what is held, of this age, goes on serving. */
  stale?(what: 'keys' | 'revocation' | 'bundle', ageMs: number): void
}

export interface RevocationOptions {
  /**
   * `poll`: lists of ended sessions are renewed before they are as old as the issuer says (a minute). `push`: the same, and
   * the issuer is listened to, so that an end counts within a second; `close()` hangs up. `off`: until it expires a token
   * is good. Default `poll`, with `keys.jwks` `off`.
   */
  readonly mode: 'push' | 'poll' | 'off'
  /** A list that the issuer has not confirmed for this long tells nothing. Default 900,000. */
  readonly maxStaleMs?: number
  /** What happens then: 503, or the token counts as not revoked. Default `deny`. */
  readonly onStale?: 'deny' | 'allow'
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
  readonly revocation?: RevocationOptions
  /** Shown to the issuer as `x-api-key`: bundles are fetched with it, and changes of them are heard of with `push`. */
  readonly serviceKey?: string
  /** False where decisions are made elsewhere: no bundle is ever fetched. Default true. */
  readonly bundles?: boolean
  /** The time in milliseconds since 1970, for tests. */
  readonly now?: () => number
  readonly on?: VerifierEvents
}

/** Options with their defaults, as the verifier uses them. */
export interface Settings {
  readonly issuers: readonly IssuerSettings[]
  readonly audiences: readonly string[]
  readonly fetch: typeof fetch
  readonly timeoutMs: number
  readonly refreshEveryMs: number
  readonly cooldownMs: number
  readonly keysMaxStaleMs: number
  readonly toleranceMs: number
  readonly cacheMax: number
  readonly cookie: string | undefined
  readonly revocation: Required<RevocationOptions>
  readonly serviceKey: string | undefined
  readonly bundles: boolean
  readonly now: (() => number) | undefined
  readonly on: VerifierEvents
}

export interface IssuerSettings {
  /** As in the claim `iss`. */
  readonly issuer: string
  /** The same without a slash at the end: what its addresses begin with. */
  readonly name: string
  /** Where it is reached, without a slash at the end. */
  readonly url: string
  /** Where its keys are published, where they were not given. */
  readonly keysUri: string
  /** A document to take the keys from; undefined where they are fetched. */
  readonly jwks: unknown
}

const keySetPath = '/.well-known/jwks.json'

const maxToleranceSeconds = 300
// RFC 6265 section 4.1.1: a cookie name is a token of RFC 9110.
const cookieName = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/

/** Throws a TypeError that names the option. */
export function readOptions(options: VerifierOptions): Settings {
  assertMembers(
    'options',
    options,
    'issuer audience keys keysMaxStaleMs clockToleranceSeconds cache cookie revocation serviceKey bundles now on',
  )
  const { keys = {}, on = {}, cache = { max: 5_000 }, cookie = false, bundles = true, serviceKey, now } = options
  assertMembers('keys', keys, 'jwks uri fetch timeoutMs refreshEveryMs cooldownMs')
  assertMembers('on', on, 'keysRefreshed keyIgnored rejected stale')
  for (const [name, listener] of Object.entries(on)) assertFunction(`on.${name}`, listener)
  if (now !== undefined) assertFunction('now', now)
  if (cache !== false) assertMembers('cache', cache, 'max')
  const issuers = readNames('issuer', options.issuer)
  const refreshEveryMs = readInteger('keys.refreshEveryMs', keys.refreshEveryMs ?? 300_000, 1)
  return {
    issuers: issuers.map(issuer => readIssuer(issuer, issuers.length, keys)),
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
    revocation: readRevocation(options.revocation, keys.jwks !== undefined),
    serviceKey: readServiceKey(serviceKey, keys.jwks !== undefined),
    bundles,
    now,
    on,
  }
}

function readIssuer(issuer: string, issuers: number, keys: KeyOptions): IssuerSettings {
  const { jwks, uri } = keys
  const name = issuer.endsWith('/') ? issuer.slice(0, -1) : issuer
  if (jwks === undefined && uri === undefined) {
    return { issuer, name, url: name, keysUri: readUrl('issuer', `${name}${keySetPath}`), jwks }
  }
  // One set for several issuers would let each of them sign as all the others.
  if (issuers > 1) throw new TypeError('keys.jwks and keys.uri belong to one issuer: create one verifier for each')
  if (jwks === undefined) {
    const keysUri = readUrl('keys.uri', uri)
    // Who reaches the keys at another address than the issuer's name reaches the rest there too.
    const url = keysUri.endsWith(keySetPath) ? keysUri.slice(0, -keySetPath.length) : name
    return { issuer, name, url, keysUri, jwks }
  }
  for (const [member, value] of Object.entries(keys)) {
    if (member !== 'jwks' && value !== undefined) throw idle(`keys.${member}`)
  }
  return { issuer, name, url: name, keysUri: '', jwks }
}

function idle(name: string): TypeError {
  return new TypeError(`${name} does nothing when keys.jwks is given`)
}

function readRevocation(given: RevocationOptions | undefined, isOffline: boolean): Required<RevocationOptions> {
  const { mode, maxStaleMs = 900_000, onStale = 'deny' } = given ?? { mode: isOffline ? 'off' : 'poll' }
  if (given !== undefined) assertMembers('revocation', given, 'mode maxStaleMs onStale')
  assertOneOf('revocation.mode', mode, 'push poll off')
  assertOneOf('revocation.onStale', onStale, 'deny allow')
  if (isOffline && mode !== 'off') throw idle('revocation.mode')
  return { mode, maxStaleMs: readInteger('revocation.maxStaleMs', maxStaleMs, 1), onStale }
}

function readServiceKey(key: unknown, isOffline: boolean): string | undefined {
  if (key === undefined) return undefined
  if (isOffline) throw idle('serviceKey')
  if (typeof key === 'string' && /^[\x21-\x7e]+$/.test(key)) return key
  throw new TypeError('serviceKey must be a key as the issuer gave it')
}

function readUrl(name: string, value: unknown): string {
  if (typeof value === 'string' && URL.canParse(value) && ['http:', 'https:'].includes(new URL(value).protocol))
    return value
  throw new TypeError(`${name} must be an http or https URL`)
}

function readFetch(given: typeof fetch | undefined): typeof fetch {
  if (given === undefined) return (input, init) => fetch(input, init)
  assertFunction('keys.fetch', given)
  return given
}

function readCookieName(cookie: unknown): string | undefined {
  if (cookie === false) return undefined
  if (typeof cookie === 'string' && cookieName.test(cookie)) return cookie
  throw new TypeError('cookie must be a name, or false')
}

function readNames(name: string, value: unknown): readonly string[] {
  const names = [...new Set<unknown>(Array.isArray(value) ? value : [value])]
  if (names.length === 0 || !names.every(item => typeof item === 'string' && item !== '')) {
    throw new TypeError(`${name} must be a string that is not empty, or a list of such`)
  }
  return names as string[]
}

function readInteger(name: string, value: unknown, min: number, max: number = Number.MAX_SAFE_INTEGER): number {
  if (Number.isSafeInteger(value) && (value as number) >= min && (value as number) <= max) return value as number
  throw new TypeError(`${name} must be a whole number from ${min} to ${max}`)
}

function assertOneOf(name: string, value: unknown, known: string): void {
  if (!known.split(' ').includes(value as string)) throw new TypeError(`${name} must be one of: ${known}`)
}

function assertFunction(name: string, value: unknown): void {
  if (typeof value !== 'function') throw new TypeError(`${name} must be a function`)
}

/** `known`: names with a space between. */
function assertMembers(name: string, value: unknown, known: string): void {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new TypeError(`${name} must be an object`)
  for (const member of Object.keys(value)) {
    if (!known.split(' ').includes(member)) throw new TypeError(`${name} has no member ${member}`)
  }
}
