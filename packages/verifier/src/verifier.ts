// The order of the checks: form, header, issuer, key, signature, claims, time, revocation, need. Nothing later is reached before
// everything earlier holds, and a remembered token passes key, time, revocation and need again on every request.

import { extractToken, type RequestHeaders } from './authenticate.ts'
import { type ClaimRules, type Holdings, readClaims } from './claims.ts'
import { createClock } from './clock.ts'
import { AuthError } from './errors.ts'
import { createStaticIssuer, type Health, type Issuer, type IssuerDeps } from './issuer.ts'
import { assertCompactForm, assertString, type JwsHeader, parseObject, peekPayload, readHeader } from './jws.ts'
import type { KeyIgnored, PublicJwk, VerificationKey } from './key-set.ts'
import { assertPermitted, type Need } from './need.ts'
import { notify } from './notify.ts'
import { type IssuerSettings, readOptions, type VerifierOptions } from './options.ts'
import type { Platform } from './platform.ts'
import { type Authority, createPrincipal, type Principal } from './principal.ts'
import type { StatusList } from './status-lists.ts'
import { TokenCache } from './token-cache.ts'

export interface Verifier {
  /** Verifies a token; waits for the network only where something it needs is not at hand. Rejects with an AuthError. */
  verify(token: string, need?: Need): Promise<Principal>
  /**
   * The same without waiting: `warmUp` first. Throws an AuthError, `keys_unavailable` or `revocation_unavailable` where those
   * are not at hand.
   */
  verifySync(token: string, need?: Need): Principal
  /** Verifies the bearer token (or the cookie, where one is configured) of a request. Rejects with an AuthError. */
  authenticate(headers: RequestHeaders, need?: Need): Promise<Principal>
  /** Fetches the keys and the status lists of every issuer. Rejects with `keys_unavailable` or `revocation_unavailable`. */
  warmUp(): Promise<void>
  /** The public keys held, in the form that `keys.jwks` takes. Throws a TypeError with more than one issuer. */
  exportKeys(): { keys: PublicJwk[] }
  /** Of all issuers together: ready where each is, the ages of the oldest. */
  health(): Health
  /** Ends fetches under way and hangs up, starts no more and forgets all tokens. */
  close(): void
}

interface Source extends Authority {
  readonly rules: ClaimRules
  /** Undefined until it is loaded. */
  issuer: Issuer | undefined
  /** Never rejects. */
  load(): Promise<Issuer>
  /** Bundles are fetched for every tenant. */
  wantsBundles: boolean
}

interface Verified {
  readonly token: string
  readonly source: Source
  readonly key: VerificationKey
  readonly holdings: Holdings
  readonly principal: Principal
  readonly fromMs: number
  readonly untilMs: number
  readonly list: StatusList | undefined
  /** Of the session in the list. */
  readonly index: number
}

const unknownHealth: Health = { ready: false, keys: 0, keysAgeMs: Infinity }
const rememberedHeaders = 4
/** For the keys, the list, the bundle, and twice for code that is loaded first: what is missing then is refused. */
const mostWaits = 6

/** Throws a TypeError for wrong options. Fetches nothing before the first token or `warmUp`. */
export function createVerifierOn(platform: Platform, options: VerifierOptions): Verifier {
  const settings = readOptions(options)
  const clock = createClock(settings.now)
  const { toleranceMs } = settings
  const closer = new AbortController()
  const keyIgnored: KeyIgnored = (why, kid) => notify(settings.on, 'keyIgnored', why, kid)
  const deps = { settings, clock, platform, keyIgnored, closing: closer.signal }
  const sources = settings.issuers.map(from => createSource(from, deps))
  const byName = new Map(sources.map(source => [source.rules.issuer, source]))
  const [onlySource] = sources.length === 1 ? sources : []
  const cache = settings.cacheMax > 0 ? new TokenCache<Verified>(settings.cacheMax) : undefined
  // All tokens of a key share one header: recognizing it spares decoding and parsing. Only headers of tokens whose
  // signature was valid get in, so that nobody else can push them out.
  const headers: JwsHeader[] = []

  // Form, header, issuer, key, signature and claims, or a promise: of the same, or of nothing where it has to be asked again.
  function open(token: string, nowMs: number, mayWait: boolean): Verified | Promise<Verified | void> {
    assertString(token)
    const cached = cache?.find(token)
    if (cached !== undefined) {
      const key = cached.source.issuer!.keys.find(cached.key.jwk.kid, nowMs, mayWait)
      if (key instanceof Promise) return key
      if (key === cached.key) return cached
      cache?.remove(cached)
    }
    assertCompactForm(token)
    const known = recall(token)
    const header = known ?? readHeader(token)
    if (header.typ !== 'at+jwt' && header.typ !== 'application/at+jwt') throw new AuthError('wrong_type')
    const source = onlySource ?? findSource(token, header)
    if (source.issuer === undefined) {
      const loading = source.load()
      if (mayWait) return loading.then(() => undefined)
      throw new AuthError('keys_unavailable')
    }
    const key = source.issuer.keys.find(header.kid, nowMs, mayWait)
    if (key instanceof Promise) return key
    const payload = platform.open(token, header, key)
    if (typeof payload === 'string') return take(token, header, source, key, payload)
    return payload.then(text => take(token, header, source, key, text))
  }

  function take(token: string, header: JwsHeader, source: Source, key: VerificationKey, payload: string): Verified {
    const checked = readClaims(payload, source.rules)
    const { endsAt, holdings, startsAt, status } = checked
    if (!headers.includes(header)) remember(header)
    const verified = {
      token,
      source,
      key,
      holdings,
      principal: createPrincipal(checked, source),
      fromMs: startsAt * 1000 - toleranceMs,
      untilMs: endsAt * 1000 + toleranceMs,
      list: status && source.issuer?.lists?.find(status.uri),
      index: status?.idx ?? 0,
    }
    // Not beyond its time, so that no expired token takes the place of a good one.
    assertInTime(verified, clock.wallMs())
    cache?.add(verified)
    return verified
  }

  // Time, revocation, and whether what the tenant says is at hand; or a promise after which it has to be asked again.
  function admit(verified: Verified, nowMs: number, mayWait: boolean): Promise<void> | undefined {
    assertInTime(verified, nowMs)
    const { holdings, index, list, source, token } = verified
    const waiting = list?.check(index, nowMs, mayWait)
    if (waiting !== undefined) return waiting
    if (holdings.permissions !== undefined && !source.wantsBundles) return undefined
    return source.issuer!.ensureBundle(holdings.tenant, token, nowMs, mayWait)
  }

  // The issuer is read from a payload nobody vouches for yet: it chooses whose keys must vouch for it.
  function findSource(token: string, header: JwsHeader): Source {
    const payload = parseObject(peekPayload(token, header))
    const source = typeof payload.iss === 'string' ? byName.get(payload.iss) : undefined
    if (source === undefined) throw new AuthError('wrong_issuer')
    return source
  }

  function recall(token: string): JwsHeader | undefined {
    for (const header of headers) {
      if (token.startsWith(header.prefix)) return header
    }
    return undefined
  }

  function remember(header: JwsHeader): void {
    headers.unshift(header)
    if (headers.length > rememberedHeaders) headers.pop()
  }

  function permit({ holdings, principal }: Verified, need: Need | undefined): Principal {
    if (need !== undefined) assertPermitted(principal, holdings, need)
    return principal
  }

  function report(error: unknown): unknown {
    if (error instanceof AuthError) notify(settings.on, 'rejected', error.reason)
    return error
  }

  function verifySync(token: string, need?: Need): Principal {
    try {
      const nowMs = clock.wallMs()
      const verified = open(token, nowMs, false) as Verified
      void admit(verified, nowMs, false)
      return permit(verified, need)
    } catch (error) {
      throw report(error)
    }
  }

  function verify(token: string, need?: Need): Promise<Principal> {
    try {
      const nowMs = clock.wallMs()
      const opened = open(token, nowMs, true)
      if (opened instanceof Promise) return verifyLater(token, need, undefined, opened)
      const waiting = admit(opened, nowMs, true)
      if (waiting !== undefined) return verifyLater(token, need, opened, waiting)
      return Promise.resolve(permit(opened, need))
    } catch (error) {
      return Promise.reject(report(error))
    }
  }

  async function verifyLater(
    token: string,
    need: Need | undefined,
    verified: Verified | undefined,
    waiting: Promise<Verified | void>,
  ): Promise<Principal> {
    try {
      let known = (await waiting) ?? verified
      for (let waits = 1; ; waits++) {
        const mayWait = waits < mostWaits
        known ??= (await open(token, clock.wallMs(), mayWait)) ?? undefined
        const next = known === undefined ? undefined : admit(known, clock.wallMs(), mayWait)
        if (known !== undefined && next === undefined) return permit(known, need)
        await next
      }
    } catch (error) {
      throw report(error)
    }
  }

  return {
    verify,
    verifySync,
    authenticate(requestHeaders, need) {
      let token: string
      try {
        token = extractToken(requestHeaders, settings.cookie)
      } catch (error) {
        return Promise.reject(report(error))
      }
      return verify(token, need)
    },
    async warmUp() {
      const issuers = await Promise.all(sources.map(source => source.load()))
      await Promise.all(issuers.map(issuer => issuer.warmUp()))
    },
    exportKeys() {
      if (onlySource === undefined) throw new TypeError('exportKeys needs one issuer')
      return { keys: [...(onlySource.issuer?.keys.list() ?? [])] }
    },
    health() {
      const each = sources.map(({ issuer }) => issuer?.health() ?? unknownHealth)
      const ages = each.flatMap(({ revocationAgeMs }) => revocationAgeMs ?? [])
      return {
        ready: each.every(({ ready }) => ready),
        keys: each.reduce((sum, { keys }) => sum + keys, 0),
        keysAgeMs: Math.max(...each.map(({ keysAgeMs }) => keysAgeMs)),
        ...(ages.length > 0 && { revocationAgeMs: Math.max(...ages) }),
      }
    },
    close() {
      closer.abort(new Error('The verifier was closed.'))
      for (const source of sources) source.issuer?.bundles()?.close()
      cache?.clear()
    },
  }
}

function createSource(from: IssuerSettings, deps: IssuerDeps): Source {
  let loading: Promise<Issuer> | undefined
  const source: Source = {
    rules: { issuer: from.issuer, audiences: deps.settings.audiences },
    issuer: from.jwks === undefined ? undefined : createStaticIssuer(from.jwks, deps),
    load: () => (loading ??= load()),
    wantsBundles: false,
    find: tenant => source.issuer?.bundles()?.find(tenant),
    want() {
      source.wantsBundles = true
    },
  }
  // Everything that fetches is loaded with the first fetch: who gives the keys never pays for it.
  const load = async () => (source.issuer ??= (await import('./remote-issuer.ts')).createRemoteIssuer(from, deps))
  return source
}

// RFC 7519 section 4.1.4: not accepted on or after `exp`; 4.1.5: not before `nbf`. A token of the future is refused too.
function assertInTime(verified: Verified, nowMs: number): void {
  // Written so that a clock that says NaN accepts nothing.
  if (!(nowMs < verified.untilMs)) throw new AuthError('expired')
  if (!(nowMs >= verified.fromMs)) throw new AuthError('not_active')
}
