/**
 * A key is `next` (published, so that verifiers hold it before it signs), `active` (signs), `retired` (published until the
 * last token that it signed has expired) or `removed`. Exactly one key is active. Pure: what to store is decided elsewhere.
 */
import { compileValidator } from '@signet/http/validation'
import { type Static, Type } from 'typebox'

const base64url = '^[A-Za-z0-9_-]+$'
const Moment = Type.String({ pattern: '^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d(\\.\\d+)?Z$' })

const RingKey = Type.Object({
  /** RFC 7638 thumbprint of the public key. */
  kid: Type.String({ pattern: '^[A-Za-z0-9_-]{43}$' }),
  state: Type.Union([Type.Literal('next'), Type.Literal('active'), Type.Literal('retired'), Type.Literal('removed')]),
  n: Type.String({ pattern: base64url }),
  e: Type.String({ pattern: base64url }),
  created_at: Moment,
  activated_at: Type.Optional(Moment),
  retired_at: Type.Optional(Moment),
  removed_at: Type.Optional(Moment),
})
export type RingKey = Static<typeof RingKey>

const Ring = Type.Object({ version: Type.Integer({ minimum: 1 }), keys: Type.Array(RingKey) })
/** What `ring-<version>.json` holds. */
export type Ring = Static<typeof Ring>

/** The public half of a key that was just made. */
export type NewKey = Pick<RingKey, 'kid' | 'n' | 'e'>

/** A wish that the ring refuses, said to whoever runs the command. */
export class RingRefusal extends Error {
  override readonly name = 'RingRefusal'
}

/** Nodes read the ring this much later at most, and sign with the old key until then. */
const reloadMarginMs = 5_000
/** Removed keys stay listed for people; older ones are forgotten. */
const rememberedRemovals = 20

const validateRing = compileValidator(Ring, 'body')

/** @throws Error saying what is wrong with the document */
export function assertRing(value: unknown): asserts value is Ring {
  if (!isRing(value)) throw new Error('it is not a key ring')
  const active = value.keys.filter(key => key.state === 'active')
  if (active.length !== 1) throw new Error(`it has ${active.length} active keys instead of one`)
  if (new Set(value.keys.map(key => key.kid)).size !== value.keys.length) throw new Error('it names a key twice')
}

function isRing(value: unknown): value is Ring {
  return !('error' in validateRing(value))
}

export function activeKey(ring: Ring): RingKey {
  const key = ring.keys.find(each => each.state === 'active')
  if (key === undefined) throw new Error('A ring has an active key.')
  return key
}

/** Oldest first, so that the key that was published longest becomes active. */
export function nextKeys(ring: Ring): RingKey[] {
  return ring.keys.filter(key => key.state === 'next')
}

/** @param tokenLifeMs a retired key is published for this long and a margin */
export function isPublished(key: RingKey, nowMs: number, tokenLifeMs: number): boolean {
  if (key.state !== 'retired') return key.state !== 'removed'
  return publishedUntilMs(key, tokenLifeMs) > nowMs
}

/** When a retired key leaves the published set. Infinity for every other key. */
export function publishedUntilMs(key: RingKey, tokenLifeMs: number): number {
  if (key.state !== 'retired' || key.retired_at === undefined) return Infinity
  return Date.parse(key.retired_at) + tokenLifeMs + reloadMarginMs
}

/** The first ring: one key that signs and one that will. */
export function firstRing(active: NewKey, next: NewKey, now: string): Ring {
  const keys: RingKey[] = [
    { ...active, state: 'active', created_at: now, activated_at: now },
    { ...next, state: 'next', created_at: now },
  ]
  return { version: 1, keys }
}

export function withNext(ring: Ring, key: NewKey, now: string): Ring {
  return advance(ring, [...ring.keys, { ...key, state: 'next', created_at: now }])
}

/** `kid` becomes active and the active key retired. */
export function withActive(ring: Ring, kid: string, now: string): Ring {
  const keys = ring.keys.map((key): RingKey => {
    if (key.state === 'active') return { ...key, state: 'retired', retired_at: now }
    return key.kid === kid ? { ...key, state: 'active', activated_at: now } : key
  })
  return advance(ring, keys)
}

/** @throws RingRefusal for the active key, which signs */
export function withRetired(ring: Ring, kid: string, now: string): Ring {
  refuseActive(ring, kid, 'retired')
  return advance(
    ring,
    ring.keys.map(key => (key.kid === kid ? { ...key, state: 'retired', retired_at: now } : key)),
  )
}

/** @throws RingRefusal for the active key, which signs */
export function withRemoved(ring: Ring, kid: string, now: string): Ring {
  refuseActive(ring, kid, 'removed')
  return advance(
    ring,
    ring.keys.map(key => (key.kid === kid ? { ...key, state: 'removed', removed_at: now } : key)),
  )
}

/** Retired keys whose last token has expired become removed. */
export function withoutExpired(ring: Ring, nowMs: number, tokenLifeMs: number): Ring {
  const now = new Date(nowMs).toISOString()
  const keys = ring.keys.map(
    (key): RingKey =>
      key.state === 'removed' || isPublished(key, nowMs, tokenLifeMs)
        ? key
        : { ...key, state: 'removed', removed_at: now },
  )
  const removed = keys.filter(key => key.state === 'removed')
  const forgotten = new Set(removed.slice(0, Math.max(0, removed.length - rememberedRemovals)))
  return { ...ring, keys: keys.filter(key => !forgotten.has(key)) }
}

/** The key whose `kid` begins so. @throws RingRefusal for none and for several */
export function findKey(ring: Ring, prefix: string): RingKey {
  const found = ring.keys.filter(key => key.kid.startsWith(prefix))
  const [key] = found
  if (key === undefined) throw new RingRefusal(`There is no key ${prefix}. See: pnpm keys list`)
  if (found.length > 1) throw new RingRefusal(`${found.length} keys begin with ${prefix}. Give more of it.`)
  return key
}

function refuseActive(ring: Ring, kid: string, what: string): void {
  if (activeKey(ring).kid === kid) {
    throw new RingRefusal(`The active key signs every token and cannot be ${what}. Run first: pnpm keys rotate`)
  }
}

function advance(ring: Ring, keys: readonly RingKey[]): Ring {
  return { version: ring.version + 1, keys: [...keys] }
}
