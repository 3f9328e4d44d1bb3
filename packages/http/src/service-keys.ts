/**
 * Other services of ours show a key as `x-api-key`: one of the operator's settings, or one that was issued to a service.
 * Every key of the settings is compared, whichever is right, and hashes are compared rather than texts, so that the time of a
 * refusal tells neither a letter nor a length. An issued key is sealed: whatever was never issued is refused without asking
 * the database, so that a flood of wrong keys is no flood of queries. What the database said holds for five seconds: a key
 * that is withdrawn stops within them.
 */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import { problem, type ServiceId, sealParts } from '@signet/kernel'
import type { FastifyRequest, onRequestAsyncHookHandler } from 'fastify'

declare module 'fastify' {
  interface FastifyContextConfig {
    /**
     * Says in the API's document that the route asks for a service key, and its `onRequest` is `requireServiceKey`; or that it
     * takes one in the place of a bearer, and the app has given `acceptServiceKey` to the verifier's plugin.
     */
    serviceKey?: true | 'or-bearer'
  }
}

/** What a database knows of an issued key. */
export interface IssuedKey {
  readonly serviceId: ServiceId
  readonly serviceName: string
  readonly expiresAt: Date | null
}

/** Who shows a key. */
export interface ServiceKeyHolder {
  /** The service that it was issued to; null for a key of the settings, which speaks for the installation. */
  readonly service: { readonly id: ServiceId; readonly name: string } | null
  /** Eight letters that tell the keys of an installation apart in its audit, and from which no key can be found. */
  readonly fingerprint: string
}

export interface ServiceKeyring {
  /** Undefined for a key that opens nothing. @throws whatever the look-up throws */
  findHolder(presented: string): Promise<ServiceKeyHolder | undefined>
}

export interface ServiceKeyringOptions {
  /** Of the settings; several hold at once while one replaces the other. */
  readonly configured: readonly string[]
  /** Seals what is issued. */
  readonly sealKey: Uint8Array
  /** Asks the database for an issued key by its hash. */
  readonly find: (hash: Buffer) => Promise<IssuedKey | undefined>
  readonly clock?: () => number
}

const remembersMs = 5_000
const mostRemembered = 1_000
const prefix = 'sgk_'
const secretBytes = 32
const sealBytes = 8

export function createServiceKeyring({
  configured,
  sealKey,
  find,
  clock = Date.now,
}: ServiceKeyringOptions): ServiceKeyring {
  const hashes = configured.map(hashOf)
  const remembered = new Map<string, { readonly until: number; readonly found: Promise<IssuedKey | undefined> }>()

  /** Asks once for all who show the key at the same time. A failure is not remembered. */
  function look(hash: Buffer): Promise<IssuedKey | undefined> {
    const name = hash.toString('base64')
    const known = remembered.get(name)
    if (known !== undefined && known.until > clock()) return known.found
    remembered.delete(name)
    const [oldest] = remembered.keys()
    if (oldest !== undefined && remembered.size >= mostRemembered) remembered.delete(oldest)
    const found = find(hash)
    remembered.set(name, { until: clock() + remembersMs, found })
    found.catch(() => remembered.delete(name))
    return found
  }

  return {
    async findHolder(presented) {
      const hash = hashOf(presented)
      const fingerprint = hash.toString('hex').slice(0, 8)
      const matches = hashes.filter(each => timingSafeEqual(each, hash))
      if (matches.length > 0) return { service: null, fingerprint }
      if (!isSealed(sealKey, presented)) return undefined
      const issued = await look(hash)
      if (issued === undefined || (issued.expiresAt !== null && issued.expiresAt.getTime() <= clock())) return undefined
      return { service: { id: issued.serviceId, name: issued.serviceName }, fingerprint }
    },
  }
}

/** A new key, and the hash that is kept of it: 32 random bytes need no slow one. */
export function mintServiceKey(sealKey: Uint8Array): { readonly key: string; readonly hash: Buffer } {
  const secret = randomBytes(secretBytes)
  const key = `${prefix}${Buffer.concat([secret, sealOf(sealKey, secret)]).toString('base64url')}`
  return { key, hash: hashOf(key) }
}

const holders = new WeakMap<FastifyRequest, ServiceKeyHolder>()

/**
 * A hook that lets a request pass which shows a key that counts.
 * @throws Problem `invalid-service-key`
 */
export function requireServiceKey(keyring: ServiceKeyring): onRequestAsyncHookHandler {
  return async request => {
    const holder = await keyring.findHolder(presentedKey(request) ?? '')
    if (holder === undefined) throw refusal()
    holders.set(request, holder)
  }
}

/**
 * For `alternative` of the verifier's plugin: a route whose `config.serviceKey` is `or-bearer` takes a key in the place of a
 * token. Whoever shows one has to show one that counts, whatever token stands beside it.
 * @throws Problem `invalid-service-key`
 */
export function acceptServiceKey(keyring: ServiceKeyring): (request: FastifyRequest) => Promise<boolean> {
  return async request => {
    if (request.routeOptions.config.serviceKey !== 'or-bearer' || request.headers['x-api-key'] === undefined)
      return false
    const holder = await keyring.findHolder(presentedKey(request) ?? '')
    if (holder === undefined) throw refusal()
    holders.set(request, holder)
    return true
  }
}

/** Undefined for whoever came with a token, or with nothing. */
export function serviceKeyHolderOf(request: FastifyRequest): ServiceKeyHolder | undefined {
  return holders.get(request)
}

function refusal() {
  return problem('invalid-service-key', undefined, { headers: { 'www-authenticate': 'ApiKey' } })
}

/** Node joins a header that comes twice with a comma, which is in no key: such a request shows none. */
function presentedKey(request: FastifyRequest): string | undefined {
  const presented = request.headers['x-api-key']
  return typeof presented === 'string' ? presented : undefined
}

function isSealed(sealKey: Uint8Array, presented: string): boolean {
  if (!presented.startsWith(prefix)) return false
  const bytes = Buffer.from(presented.slice(prefix.length), 'base64url')
  if (bytes.length !== secretBytes + sealBytes || prefix + bytes.toString('base64url') !== presented) return false
  return timingSafeEqual(bytes.subarray(secretBytes), sealOf(sealKey, bytes.subarray(0, secretBytes)))
}

function sealOf(sealKey: Uint8Array, secret: Buffer): Buffer {
  return sealParts(sealKey, secret.toString('base64url')).subarray(0, sealBytes)
}

function hashOf(key: string): Buffer {
  return createHash('sha256').update(key).digest()
}
