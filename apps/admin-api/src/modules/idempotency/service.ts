/**
 * A creation that is sent twice under one Idempotency-Key happens once. The key, a fingerprint of the request and the
 * answer are one row, written in the transaction of the creation: there is never one without the other.
 */
import { timingSafeEqual } from 'node:crypto'
import type { TenantTx } from '@signet/db'
import { type Actor, problem, sealParts } from '@signet/kernel'
import { Type } from 'typebox'
import { findKeptAnswer, keepAnswer, lockKey } from './repo.ts'

/** What a creation answers with. `body` is what goes over the wire. */
export interface Answer<Body> {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: Body
}

/** One creation as it was asked for, and how what it makes is answered. */
export interface Once<Made, Body> {
  readonly key: string | undefined
  readonly fingerprint: Buffer
  readonly present: (made: Made) => Answer<Body>
}

/** The header of a creation. Other headers pass. */
export const IdempotencyHeader = Type.Object({
  'idempotency-key': Type.Optional(
    Type.String({
      pattern: '^[\\x21-\\x7e]{1,255}$',
      description: 'Sent again within 24 h with the same body, it gets the first answer again and creates nothing',
      examples: ['8e03978e-40d5-43e8-bc93-6894a57f9324'],
    }),
  ),
})

/** What a creation refuses because of it. */
export const onceProblems = ['idempotency-key-in-progress', 'idempotency-key-reused'] as const

/**
 * The fingerprint is keyed: a body may hold a password, and a plain hash of it could be guessed from the table.
 */
export function onceOf<Made, Body>(
  fingerprintKey: Uint8Array,
  request: { readonly url: string; readonly body: unknown; readonly headers: { readonly 'idempotency-key'?: string } },
  present: (made: Made) => Answer<Body>,
): Once<Made, Body> {
  const fingerprint = sealParts(fingerprintKey, request.url, JSON.stringify(sortMembers(request.body)))
  return { key: request.headers['idempotency-key'], fingerprint, present }
}

/**
 * Makes it, or gives the answer of the time it was made.
 * @throws Problem `idempotency-key-in-progress` while the first request runs, `idempotency-key-reused` for another body
 */
export async function makeOnce<Made, Body>(
  tx: TenantTx,
  actor: Actor,
  { key, fingerprint, present }: Once<Made, Body>,
  make: () => Promise<Made>,
): Promise<Answer<Body>> {
  if (key === undefined) return present(await make())
  if (!(await lockKey(tx, actor, key)))
    throw problem('idempotency-key-in-progress', undefined, { retryAfterSeconds: 1 })
  const kept = await findKeptAnswer(tx, actor, key)
  if (kept !== undefined) {
    if (!timingSafeEqual(kept.fingerprint, fingerprint)) throw problem('idempotency-key-reused')
    return { status: kept.status, headers: kept.headers, body: kept.body as Body }
  }
  const answer = present(await make())
  await keepAnswer(tx, actor, key, { fingerprint, ...answer })
  return answer
}

/** The order of members means nothing in JSON. */
function sortMembers(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortMembers)
  if (typeof value !== 'object' || value === null) return value
  const members = Object.entries(value).map(([name, member]) => [name, sortMembers(member)] as const)
  return Object.fromEntries(members.toSorted(([a], [b]) => (a < b ? -1 : 1)))
}
