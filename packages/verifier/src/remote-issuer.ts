// An issuer that is asked: for keys and status lists, for bundles when the first is needed, and listened to where that is
// wished.

import type { Bundles } from './bundles.ts'
import { AuthError } from './errors.ts'
import { type FetchIssuer, fetchDocument } from './fetch-document.ts'
import type { Issuer, IssuerDeps } from './issuer.ts'
import { notify } from './notify.ts'
import type { IssuerSettings } from './options.ts'
import { RemoteKeys } from './remote-keys.ts'
import { StatusLists } from './status-lists.ts'

const maxKeySetBytes = 65_536

export function createRemoteIssuer(from: IssuerSettings, deps: IssuerDeps): Issuer {
  const { clock, closing, keyIgnored, platform, settings } = deps
  const { on, revocation, serviceKey, toleranceMs } = settings
  const base = { clock, closing, platform, toleranceMs, issuer: from.issuer, name: from.name }

  const fetchAt: FetchIssuer = (uri, { accept, etag, headers, maxBytes }) =>
    fetchDocument({
      uri,
      fetch: settings.fetch,
      timeoutMs: settings.timeoutMs,
      signal: closing,
      accept,
      maxBytes,
      headers: typeof etag === 'string' ? { ...headers, 'if-none-match': etag } : { ...headers },
    })
  // Addresses are said with the issuer's name; the operator may say that it is reached elsewhere.
  const fetchIssuer: FetchIssuer = (uri, request) =>
    fetchAt(uri.startsWith(`${from.name}/`) ? from.url + uri.slice(from.name.length) : uri, request)

  const keys = new RemoteKeys({
    ...base,
    fetchKeys: async () => {
      const accept = 'application/jwk-set+json, application/json'
      const answer = await fetchAt(from.keysUri, { accept, maxBytes: maxKeySetBytes })
      return JSON.parse(answer?.text ?? '')
    },
    refreshEveryMs: settings.refreshEveryMs,
    gapMs: settings.cooldownMs,
    maxStaleMs: settings.keysMaxStaleMs,
    keyIgnored,
    refreshed: kids => notify(on, 'keysRefreshed', kids),
    stale: ageMs => notify(on, 'stale', 'keys', ageMs),
  })
  // Whoever asked needs them, also where it could not wait.
  keys.renew()
  const lists =
    revocation.mode === 'off'
      ? undefined
      : new StatusLists({
          ...base,
          keys,
          fetch: fetchIssuer,
          maxStaleMs: revocation.maxStaleMs,
          onStale: revocation.onStale,
          stale: ageMs => notify(on, 'stale', 'revocation', ageMs),
        })

  let bundles: Bundles | undefined
  let loading: Promise<void> | undefined
  async function loadBundles(): Promise<void> {
    const { Bundles } = await import('./bundles.ts')
    bundles = new Bundles({
      ...base,
      keys,
      fetch: fetchIssuer,
      serviceKey,
      stale: ageMs => notify(on, 'stale', 'bundle', ageMs),
    })
  }

  async function listenToIssuer(): Promise<void> {
    const { listenToEvents } = await import('./event-stream.ts')
    await listenToEvents({
      url: `${from.url}/verifier/events`,
      fetch: settings.fetch,
      serviceKey,
      closing,
      opened: () => lists?.renewAll(),
      received: receive,
    })
  }

  function receive(event: string, data: string): void {
    let said: { uri?: unknown; idx?: unknown; tid?: unknown; version?: unknown }
    try {
      said = JSON.parse(data)
    } catch {
      return
    }
    const { idx, tid, uri, version } = said
    if (event === 'keys') keys.renew()
    else if (event === 'revoked' && typeof uri === 'string') lists?.revoke(uri, Number(idx))
    else if (event === 'bundle' && typeof tid === 'string') bundles?.announce(tid, Number(version))
    else if (event === 'bundle' && tid === null) bundles?.renewAll()
  }

  // Before anything else is fetched, so that nothing is missed in between.
  if (revocation.mode === 'push') void listenToIssuer()
  return {
    keys,
    lists,
    bundles: () => bundles,
    ensureBundle(tenant, token, wallMs, mayWait) {
      if (!settings.bundles) return undefined
      if (bundles !== undefined) return bundles.ensure(tenant, token, wallMs, mayWait)
      loading ??= loadBundles()
      return mayWait ? loading : undefined
    },
    health() {
      const revocationAgeMs = lists?.ageMs()
      const isStale = revocation.onStale === 'deny' && (revocationAgeMs ?? 0) > revocation.maxStaleMs
      return {
        ready: keys.isReady() && !isStale,
        keys: keys.list().length,
        keysAgeMs: keys.ageMs(),
        ...(revocationAgeMs !== undefined && { revocationAgeMs }),
      }
    },
    async warmUp() {
      await keys.warmUp()
      if (lists === undefined) return
      try {
        await lists.warmUp()
      } catch (error) {
        if (revocation.onStale === 'deny') throw new AuthError('revocation_unavailable', undefined, { cause: error })
      }
    },
  }
}
