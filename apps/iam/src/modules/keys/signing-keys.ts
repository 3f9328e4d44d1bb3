/**
 * The ring as a running program holds it: it signs with the active key, publishes the others, and takes up what is stored
 * anew without a restart. A folder that becomes unreadable later changes nothing but the log.
 */
import { createHash, createPublicKey, type KeyObject, sign } from 'node:crypto'
import { type FSWatcher, watch } from 'node:fs'
import type { Clock } from '@signet/kernel'
import { ensureRing, type KeyFolder } from './key-administration.ts'
import { KeyFolderError, prepareFolder, readPrivateKey } from './key-files.ts'
import { activeKey, isPublished, nextKeys, publishedUntilMs, type Ring, type RingKey } from './ring.ts'
import { listRingVersions, readRing } from './ring-store.ts'

/** One published key (RFC 7517). */
export interface PublishedJwk {
  readonly kty: 'RSA'
  readonly kid: string
  readonly use: 'sig'
  readonly alg: 'RS256'
  readonly n: string
  readonly e: string
}

export interface KeySet {
  readonly keys: readonly PublishedJwk[]
  /** The JSON of the set, and a strong validator of it (RFC 9110 section 8.8.3). */
  readonly body: string
  readonly etag: string
}

/** What is signed with these keys, each under a type of its own, so that nothing passes for something else (RFC 8725 section 3.11). */
export type SignedType = (typeof signedTypes)[number]
const signedTypes = ['at+jwt', 'statuslist+jwt', 'authz-bundle+jwt'] as const

export interface SigningKeys {
  /** A JWS in compact form (RFC 7515) with this `typ` and this payload, a JSON text. Synchronous: a burst cannot starve it. */
  sign(type: SignedType, payload: string): string
  /** The `kid` under which is signed now. */
  activeKid(): string
  /** Since when, in milliseconds. */
  activeSince(): number
  /** The public halves of the next, active and retired keys. */
  keySet(): KeySet
  /** The public half of the active key (SPKI). */
  publicKeyPem(): string
  /** Calls back after the ring has changed. */
  onChange(listener: () => void): void
  /** False while the folder cannot be read: the keys read before serve on. */
  isCurrent(): boolean
  /** Calls back when the folder cannot be read any more, once until it can. */
  onFault(listener: (error: unknown) => void): void
  close(): void
}

interface Signer {
  readonly kid: string
  readonly sinceMs: number
  readonly headerSegments: Readonly<Record<SignedType, string>>
  readonly key: KeyObject
  readonly publicKeyPem: string
}

interface Loaded {
  readonly ring: Ring
  readonly signer: Signer
}

/** Watching is quick where the system can; looking is sure everywhere. */
const lookEveryMs = 1_000

/** Opens the ring, makes it where there is none. @throws KeyFolderError saying which file and what mends it */
export async function openSigningKeys(options: KeyFolder): Promise<SigningKeys> {
  await ensureRing(options)
  const loaded = await loadRing(options.folder)
  return createSigningKeys(options, loaded)
}

function createSigningKeys({ folder, tokenLifeMs, clock }: KeyFolder, first: Loaded): SigningKeys {
  const listeners: (() => void)[] = []
  const faultListeners: ((error: unknown) => void)[] = []
  let { ring, signer } = first
  let published = describeKeySet(ring, clock, tokenLifeMs)
  let isFaulty = false
  let looking: Promise<void> | undefined

  function take(loaded: Loaded): void {
    ring = loaded.ring
    signer = loaded.signer
    published = describeKeySet(ring, clock, tokenLifeMs)
    for (const listener of listeners) listener()
  }

  async function look(): Promise<void> {
    try {
      if ((await listRingVersions(folder)).at(-1) !== ring.version) take(await loadRing(folder))
      isFaulty = false
    } catch (error) {
      if (isFaulty) return
      isFaulty = true
      for (const listener of faultListeners) listener(error)
    }
  }

  function lookSoon(): void {
    looking ??= look().finally(() => {
      looking = undefined
    })
  }

  const timer = setInterval(lookSoon, lookEveryMs)
  timer.unref()
  const watcher = watchFolder(folder, lookSoon)

  return {
    sign(type, payload) {
      const input = `${signer.headerSegments[type]}.${Buffer.from(payload).toString('base64url')}`
      return `${input}.${sign('RSA-SHA256', Buffer.from(input), signer.key).toString('base64url')}`
    },
    activeKid: () => signer.kid,
    activeSince: () => signer.sinceMs,
    keySet() {
      if (published.untilMs <= clock()) published = describeKeySet(ring, clock, tokenLifeMs)
      return published.set
    },
    publicKeyPem: () => signer.publicKeyPem,
    isCurrent: () => !isFaulty,
    onChange: listener => void listeners.push(listener),
    onFault: listener => void faultListeners.push(listener),
    close() {
      clearInterval(timer)
      watcher?.close()
    },
  }
}

/** Some file systems cannot be watched: the interval is enough there. */
function watchFolder(folder: string, onEvent: () => void): FSWatcher | undefined {
  try {
    return watch(folder, { persistent: false }, onEvent).on('error', () => undefined)
  } catch {
    return undefined
  }
}

async function loadRing(folder: string): Promise<Loaded> {
  await prepareFolder(folder)
  const ring = await readRing(folder)
  if (ring === undefined) throw new KeyFolderError(`${folder} holds no keys any more. Restore it from your backup.`)
  try {
    const active = activeKey(ring)
    const key = await readPrivateKey(folder, active.kid, 'pnpm keys rotate')
    for (const { kid } of nextKeys(ring)) await readPrivateKey(folder, kid, `pnpm keys remove ${kid}`)
    return { ring, signer: createSigner(active, key) }
  } catch (error) {
    // Somebody has rotated between the reading of the ring and that of its keys.
    if ((await listRingVersions(folder)).at(-1) !== ring.version) return loadRing(folder)
    throw error
  }
}

function createSigner({ kid, activated_at, created_at }: RingKey, key: KeyObject): Signer {
  const segmentOf = (typ: SignedType) => Buffer.from(JSON.stringify({ alg: 'RS256', typ, kid })).toString('base64url')
  return {
    kid,
    sinceMs: Date.parse(activated_at ?? created_at),
    headerSegments: Object.fromEntries(signedTypes.map(typ => [typ, segmentOf(typ)])) as Record<SignedType, string>,
    key,
    publicKeyPem: createPublicKey(key).export({ type: 'spki', format: 'pem' }) as string,
  }
}

function describeKeySet(ring: Ring, clock: Clock, tokenLifeMs: number): { set: KeySet; untilMs: number } {
  const shown = ring.keys.filter(key => isPublished(key, clock(), tokenLifeMs))
  const keys = shown.map(({ kid, n, e }): PublishedJwk => ({ kty: 'RSA', kid, use: 'sig', alg: 'RS256', n, e }))
  const body = JSON.stringify({ keys })
  const etag = `"${createHash('sha256').update(body).digest('base64url')}"`
  return { set: { keys, body, etag }, untilMs: Math.min(...shown.map(key => publishedUntilMs(key, tokenLifeMs))) }
}
