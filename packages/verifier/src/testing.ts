// A real issuer for tests, in this process: it signs with a key of its own, ends sessions, writes bundles and is fetched from,
// so that nothing has to be mocked.

import { generateKeyPairSync, type KeyObject, randomUUID, sign } from 'node:crypto'
import type { PublicJwk } from './key-set.ts'
import { peekPayload, parseObject, readHeader } from './jws.ts'
import type { Bundle } from './policies/bundle.ts'
import { setStatus } from './status-list.ts'

export interface TestIssuerOptions {
  /** Default `https://issuer.test`. */
  readonly issuer?: string
  /** Default `signet`. */
  readonly audience?: string
  /** The time in milliseconds since 1970. Default: the clock. */
  readonly now?: () => number
  /** Tokens name an index of a status list, so that `revoke` has something to set. Default false. */
  readonly revocable?: boolean
}

export interface TestKey {
  readonly kid: string
  readonly privateKey: KeyObject
  readonly publicKey: KeyObject
}

/** What a tenant's bundle says; members that are left out are empty. */
export interface TestBundle extends Partial<Omit<Bundle, 'tenant' | 'roles'>> {
  readonly roles?: readonly { readonly id?: string; readonly name: string; readonly permissions: readonly string[] }[]
}

export interface TestIssuer {
  readonly issuer: string
  readonly audience: string
  /** The key that signs now. */
  readonly key: TestKey
  /** The published keys, as a JWK set. */
  readonly jwks: { readonly keys: readonly PublicJwk[] }
  /**
   * An access token valid for 15 minutes, signed with RS256. Given members replace the defaults of its claims and its
   * header; `undefined` leaves one out.
   */
  token(claims?: Readonly<Record<string, unknown>>, header?: Readonly<Record<string, unknown>>): string
  /** Signs a header and a payload as they are, for tokens that no honest issuer would write. */
  sign(header: object, payload: string | Uint8Array, privateKey?: KeyObject): string
  /**
   * Serves, by the issuer's addresses, the key set, the status list, bundles and the stream of events; 404 elsewhere. For the
   * option `keys.fetch`.
   */
  readonly fetch: typeof fetch
  /** Adds a key and signs with it from now on. The older ones stay published. Returns the new one. */
  rotate(): TestKey
  /** Publishes the key of this `kid` no more. */
  removeKey(kid: string): void
  /** Ends the session of a token, or of an index. Throws a TypeError for a token without a status. */
  revoke(token: string | number): void
  /** What the tenant's roles and policies say from now on; the version rises by one unless it is given. */
  setBundle(tenant: string, bundle: TestBundle): void
}

const lifetimeSeconds = 900
const listBytes = 16_384

export function createTestIssuer(options: TestIssuerOptions = {}): TestIssuer {
  const { issuer = 'https://issuer.test', audience = 'signet', now = Date.now, revocable = false } = options
  const name = issuer.replace(/\/$/, '')
  const listUri = `${name}/status-lists/1`
  const statuses = new Uint8Array(listBytes)
  const bundles = new Map<string, { readonly version: number; readonly [member: string]: unknown }>()
  const listeners = new Set<(event: string, data: object) => void>()
  let nextIndex = 0
  let key = createTestKey()
  let published = [key]
  const listKeys = () => ({ keys: published.map(toJwk) })
  const say = (event: string, data: object) => {
    for (const listener of listeners) listener(event, data)
  }

  function signJws(header: object, payload: string | Uint8Array, privateKey = key.privateKey): string {
    const input = `${encode(JSON.stringify(header))}.${encode(payload)}`
    return `${input}.${sign('RSA-SHA256', Buffer.from(input), privateKey).toString('base64url')}`
  }

  function signDocument(typ: string, subject: string, members: object): string {
    const issuedAt = Math.floor(now() / 1000)
    const payload = { iss: issuer, sub: subject, iat: issuedAt, exp: issuedAt + 86_400, ttl: 60, ...members }
    return signJws({ alg: 'RS256', typ, kid: key.kid }, JSON.stringify(payload))
  }

  async function answer(path: string, headers: Headers): Promise<Response> {
    if (path === '/.well-known/jwks.json') return Response.json(listKeys())
    if (path === '/status-lists') return Response.json({ status_lists: revocable ? [listUri] : [] })
    if (path === '/status-lists/1' && revocable) {
      const lst = encode(await deflate(statuses))
      const list = signDocument('statuslist+jwt', listUri, { status_list: { bits: 1, lst } })
      return new Response(list, { headers: { 'content-type': 'application/statuslist+jwt' } })
    }
    if (path === '/verifier/events') return new Response(openStream(listeners), { headers: eventHeaders })
    const tenant = path.startsWith('/bundles/') ? decodeURIComponent(path.slice('/bundles/'.length)) : ''
    const bundle = bundles.get(tenant)
    if (bundle === undefined) return new Response(null, { status: 404 })
    if (!headers.has('authorization') && !headers.has('x-api-key')) return new Response(null, { status: 401 })
    const text = signDocument('authz-bundle+jwt', tenant, bundle)
    return new Response(text, { headers: { 'content-type': 'application/jwt' } })
  }

  return {
    issuer,
    audience,
    get key() {
      return key
    },
    get jwks() {
      return listKeys()
    },
    token(claims = {}, header = {}) {
      const issuedAt = Math.floor(now() / 1000)
      const standard = {
        iss: issuer,
        aud: audience,
        sub: randomUUID(),
        client_id: 'signet',
        iat: issuedAt,
        exp: issuedAt + lifetimeSeconds,
        jti: randomUUID(),
        sid: randomUUID(),
        tid: randomUUID(),
        roles: ['member'],
        permissions: [],
        kind: 'user',
        auth_time: issuedAt,
        amr: ['pwd'],
        ...(revocable && { status: { status_list: { idx: nextIndex++, uri: listUri } } }),
      }
      return signJws(
        { alg: 'RS256', typ: 'at+jwt', kid: key.kid, ...header },
        JSON.stringify({ ...standard, ...claims }),
      )
    },
    sign: signJws,
    fetch: async (input, init) => {
      const uri = input instanceof Request ? input.url : input.toString()
      if (!uri.startsWith(`${name}/`)) return new Response(null, { status: 404 })
      return answer(uri.slice(name.length), new Headers(init?.headers))
    },
    rotate() {
      key = createTestKey()
      published = [...published, key]
      say('keys', { kids: published.map(({ kid }) => kid) })
      return key
    },
    removeKey(kid) {
      published = published.filter(item => item.kid !== kid)
      say('keys', { kids: published.map(item => item.kid) })
    },
    revoke(token) {
      const idx = typeof token === 'number' ? token : indexOf(token)
      setStatus(statuses, 1, idx)
      say('revoked', { uri: listUri, idx })
    },
    setBundle(tenant, { version, permissions = [], policies = [], roles = [] }) {
      const next = version ?? (bundles.get(tenant)?.version ?? 0) + 1
      bundles.set(tenant, {
        version: next,
        permissions,
        roles: roles.map(role => ({ id: randomUUID(), ...role })),
        policies: policies.map(policy => ({
          ...policy,
          statements: policy.statements.map(({ isTemplate, ...statement }) => ({
            ...statement,
            is_template: isTemplate,
          })),
        })),
      })
      say('bundle', { tid: tenant, version: next })
    },
  }
}

const eventHeaders = { 'content-type': 'text/event-stream' }

function openStream(listeners: Set<(event: string, data: object) => void>): ReadableStream {
  let listener: (event: string, data: object) => void
  return new ReadableStream({
    start(controller) {
      const encoder = new TextEncoder()
      controller.enqueue(encoder.encode('retry: 100\n: hello\n\n'))
      listener = (event, data) =>
        controller.enqueue(encoder.encode(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`))
      listeners.add(listener)
    },
    cancel() {
      listeners.delete(listener)
    },
  })
}

async function deflate(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
  const stream = new Blob([bytes]).stream().pipeThrough(new CompressionStream('deflate'))
  return new Uint8Array(await new Response(stream).arrayBuffer())
}

function indexOf(token: string): number {
  const { status } = parseObject(peekPayload(token, readHeader(token))) as {
    status?: { status_list?: { idx?: number } }
  }
  const idx = status?.status_list?.idx
  if (idx === undefined) throw new TypeError('The token names no status: createTestIssuer({ revocable: true })')
  return idx
}

function createTestKey(): TestKey {
  return { kid: randomUUID(), ...generateKeyPairSync('rsa', { modulusLength: 2048 }) }
}

function toJwk({ kid, publicKey }: TestKey): PublicJwk {
  const { n = '', e = '' } = publicKey.export({ format: 'jwk' })
  return { kty: 'RSA', kid, n, e, alg: 'RS256', use: 'sig' }
}

function encode(text: string | Uint8Array): string {
  return Buffer.from(text as Uint8Array).toString('base64url')
}
