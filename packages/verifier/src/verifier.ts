// The order of the checks: form, header, issuer, key, signature, claims, time, need. Nothing later is reached before
// everything earlier holds, and a remembered token passes key, time and need again on every request.

import { extractToken, type RequestHeaders } from './authenticate.ts'
import { type ClaimRules, type Holdings, readClaims } from './claims.ts'
import { type Clock, createClock } from './clock.ts'
import { AuthError } from './errors.ts'
import {
  assertCompactForm,
  assertString,
  type JwsHeader,
  openJws,
  parseObject,
  peekPayload,
  readHeader,
  readText,
} from './jws.ts'
import type { KeyIgnored, PublicJwk, VerificationKey } from './key-set.ts'
import { createStaticKeys, type KeySource } from './key-source.ts'
import { assertPermitted, type Need } from './need.ts'
import { notify } from './notify.ts'
import { type KeysFrom, readOptions, type Settings, type VerifierOptions } from './options.ts'
import { createPrincipal, type Principal } from './principal.ts'
import { createRemoteKeys } from './remote-keys.ts'
import { TokenCache } from './token-cache.ts'

export interface Verifier {
  /** Verifies a token; waits for the network only where its key is not at hand. Rejects with an AuthError. */
  verify(token: string, need?: Need): Promise<Principal>
  /** The same without waiting: `warmUp` first. Throws an AuthError, `keys_unavailable` where there are no keys yet. */
  verifySync(token: string, need?: Need): Principal
  /** Verifies the bearer token (or the cookie, where one is configured) of a request. Rejects with an AuthError. */
  authenticate(headers: RequestHeaders, need?: Need): Promise<Principal>
  /** Fetches the keys of every issuer. Rejects with `keys_unavailable`. */
  warmUp(): Promise<void>
  /** The public keys held, in the form that `keys.jwks` takes. Throws a TypeError with more than one issuer. */
  exportKeys(): { keys: PublicJwk[] }
  /** `ready`: every issuer has keys that may be used. `keysAgeMs`: of the oldest set, Infinity before the first fetch. */
  health(): { ready: boolean; keys: number; keysAgeMs: number }
  /** Ends fetches under way, starts no more and forgets all tokens. */
  close(): void
}

interface Issuer {
  readonly rules: ClaimRules
  readonly keys: KeySource
}

interface Verified {
  readonly token: string
  readonly issuer: Issuer
  readonly key: VerificationKey
  readonly holdings: Holdings
  readonly principal: Principal
  readonly fromMs: number
  readonly untilMs: number
}

const rememberedHeaders = 4

/** Throws a TypeError for wrong options. Fetches nothing before the first token or `warmUp`. */
export function createVerifier(options: VerifierOptions): Verifier {
  const settings = readOptions(options)
  const clock = createClock(settings.now)
  const { audiences, toleranceMs } = settings
  const issuers = new Map<string, Issuer>()
  for (const { issuer, keys } of settings.issuers) {
    issuers.set(issuer, { rules: { issuer, audiences }, keys: createKeySource(settings, clock, keys) })
  }
  const sources = Array.from(issuers.values(), issuer => issuer.keys)
  const [onlyIssuer] = issuers.size === 1 ? issuers.values() : []
  const cache = settings.cacheMax > 0 ? new TokenCache<Verified>(settings.cacheMax) : undefined
  // All tokens of a key share one header: recognizing it spares decoding and parsing. Only headers of tokens whose
  // signature was valid get in, so that nobody else can push them out.
  const headers: JwsHeader[] = []

  function attempt(token: string, mayWait: boolean): Verified | Promise<void> {
    assertString(token)
    const nowMs = clock.wallMs()
    const cached = cache?.find(token)
    if (cached !== undefined) {
      const key = cached.issuer.keys.find(cached.key.jwk.kid, nowMs, mayWait)
      if (key instanceof Promise) return key
      if (key === cached.key) return inTime(cached, nowMs)
      cache?.remove(cached)
    }
    assertCompactForm(token)
    const known = recall(token)
    const header = known ?? readHeader(token)
    if (header.typ !== 'at+jwt' && header.typ !== 'application/at+jwt') throw new AuthError('wrong_type')
    const issuer = onlyIssuer ?? findIssuer(token, header)
    const key = issuer.keys.find(header.kid, nowMs, mayWait)
    if (key instanceof Promise) return key
    const checked = readClaims(readText(openJws(token, header, key)), issuer.rules)
    if (known === undefined) remember(header)
    const verified: Verified = {
      token,
      issuer,
      key,
      holdings: checked.holdings,
      principal: createPrincipal(checked),
      fromMs: checked.startsAt * 1000 - toleranceMs,
      untilMs: checked.endsAt * 1000 + toleranceMs,
    }
    inTime(verified, nowMs)
    cache?.add(verified)
    return verified
  }

  // The issuer is read from a payload nobody vouches for yet: it chooses whose keys must vouch for it.
  function findIssuer(token: string, header: JwsHeader): Issuer {
    const payload = parseObject(peekPayload(token, header))
    const issuer = typeof payload.iss === 'string' ? issuers.get(payload.iss) : undefined
    if (issuer === undefined) throw new AuthError('wrong_issuer')
    return issuer
  }

  function recall(token: string): JwsHeader | undefined {
    for (const header of headers) {
      if (token.startsWith(header.prefix)) return header
    }
    return undefined
  }

  function remember(header: JwsHeader): void {
    headers.unshift(header)
    headers.length = Math.min(headers.length, rememberedHeaders)
  }

  function permit(verified: Verified, need: Need | undefined): Principal {
    if (need !== undefined) assertPermitted(verified.holdings, need)
    return verified.principal
  }

  function report(error: unknown): unknown {
    if (error instanceof AuthError) notify(settings.on, 'rejected', error.reason)
    return error
  }

  function verifySync(token: string, need?: Need): Principal {
    try {
      return permit(attempt(token, false) as Verified, need)
    } catch (error) {
      throw report(error)
    }
  }

  function verify(token: string, need?: Need): Promise<Principal> {
    try {
      const verified = attempt(token, true)
      if (verified instanceof Promise) return verified.then(() => verifySync(token, need))
      return Promise.resolve(permit(verified, need))
    } catch (error) {
      return Promise.reject(report(error))
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
      await Promise.all(sources.map(source => source.warmUp()))
    },
    exportKeys() {
      if (onlyIssuer === undefined)
        throw new TypeError('exportKeys needs a verifier with one issuer: keys of several must not mix')
      return { keys: [...onlyIssuer.keys.list()] }
    },
    health: () => ({
      ready: sources.every(source => source.isReady()),
      keys: sources.reduce((sum, source) => sum + source.size(), 0),
      keysAgeMs: Math.max(...sources.map(source => source.ageMs())),
    }),
    close() {
      for (const source of sources) source.close()
      cache?.clear()
    },
  }
}

function createKeySource(settings: Settings, clock: Clock, from: KeysFrom): KeySource {
  const { cooldownMs, fetch, keysMaxStaleMs, on, refreshEveryMs, timeoutMs } = settings
  const keyIgnored: KeyIgnored = (why, kid) => notify(on, 'keyIgnored', why, kid)
  if ('jwks' in from) return createStaticKeys(from.jwks, keyIgnored)
  return createRemoteKeys({
    uri: from.uri,
    fetch,
    timeoutMs,
    refreshEveryMs,
    cooldownMs,
    maxStaleMs: keysMaxStaleMs,
    clock,
    keyIgnored,
    refreshed: kids => notify(on, 'keysRefreshed', kids),
    stale: ageMs => notify(on, 'stale', 'keys', ageMs),
  })
}

// RFC 7519 section 4.1.4: not accepted on or after `exp`; 4.1.5: not before `nbf`. A token of the future is refused too.
function inTime(verified: Verified, nowMs: number): Verified {
  // Written so that a clock that says NaN accepts nothing.
  if (!(nowMs < verified.untilMs)) throw new AuthError('expired')
  if (!(nowMs >= verified.fromMs)) throw new AuthError('not_active')
  return verified
}
