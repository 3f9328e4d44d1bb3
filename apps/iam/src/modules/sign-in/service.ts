/**
 * One path for all: a place in the hashing lane, look up and take an attempt, one hash, one more statement, so that an unknown name, a wrong password and a
 * suspended account cannot be told apart by answer or time (HOUSE 4.8). The reason stands in the audit event alone.
 */
import { normalizePhone } from '@signet/accounts'
import { type InputFault, problem } from '@signet/kernel'
import { readPhone } from '../../contact.ts'
import type { Deps, RequestFacts } from '../../deps.ts'
import { fingerprintOf, foldEmail, subjectOf } from '../../devices.ts'
import type { Door } from '../doors/index.ts'
import { signIn, type TokenAnswer } from '../tokens/index.ts'
import { renewOutdatedHash } from './renew-hash.ts'
import {
  beginSignIn,
  type PersonIdentifier,
  recordFailure,
  recordLock,
  type SecretKind,
  type SignInRow,
} from './repo.ts'
import type { SignInRequest } from './schema.ts'

/** @throws Problem `invalid-input`, `invalid-credentials`, `too-many-attempts`, `hashing-busy` */
export async function signInByPassword(
  deps: Deps,
  body: SignInRequest,
  request: RequestFacts,
  door?: Door,
): Promise<TokenAnswer> {
  const { password: secret, tenant } = body
  return signInBySecret(deps, { kind: 'password', identifier: readIdentifier(body), secret, tenant, door }, request)
}

export interface SecretAttempt {
  readonly kind: SecretKind
  readonly identifier: PersonIdentifier
  readonly secret: string
  /** A slug. */
  readonly tenant: string | undefined
  /** Undefined lets everybody in. */
  readonly door?: Door | undefined
}

/** @throws Problem `invalid-credentials`, `too-many-attempts`, `hashing-busy` */
export async function signInBySecret(
  deps: Deps,
  { kind, identifier, secret, tenant, door }: SecretAttempt,
  request: RequestFacts,
): Promise<TokenAnswer> {
  const place = deps.hasher.keepPlace()
  try {
    const fingerprint = fingerprintOf(deps, request)
    const subject = subjectOf(deps, 'identifier', foldIdentifier(identifier))
    const person = await beginSignIn(
      deps.database,
      kind,
      identifier,
      { slug: tenant, defaultSlug: deps.defaultTenant },
      { subject, fingerprint },
    )
    if (person.verdict !== 'allowed') {
      deps.counts.signInFailed(kind, person.verdict)
      if (person.isFirst) await recordRefusal(deps, kind, person, request)
      throw problem('too-many-attempts', undefined, { retryAfterSeconds: person.retryAfter ?? 1 })
    }
    const checkedHash = person.refusal === null ? person.hash : null
    const isRight = await place.verify(checkedHash, secret)
    const isAdmitted = isRight && (await mayPass(door, person))
    const answer = isAdmitted
      ? await enter(deps, { kind, secret, checkedHash, person, fingerprint }, request)
      : undefined
    if (answer !== undefined) return answer
    const reason = isAdmitted ? 'changed-meanwhile' : isRight ? 'other-door' : reasonFor(kind, person)
    deps.counts.signInFailed(kind, reason)
    await recordFailure(deps.database, 'sign-in.failed', person, reason, request)
  } finally {
    place.giveBack()
  }
  throw problem('invalid-credentials')
}

async function mayPass(door: Door | undefined, { userId, tenantId }: SignInRow): Promise<boolean> {
  return door === undefined || (userId !== null && tenantId !== null && (await door({ userId, tenantId })))
}

interface CheckedAttempt extends Pick<SecretAttempt, 'kind' | 'secret'> {
  readonly checkedHash: string | null
  readonly person: SignInRow
  readonly fingerprint: Buffer
}

/** Undefined where what was checked holds no longer. */
async function enter(
  deps: Deps,
  { kind, secret, checkedHash, person, fingerprint }: CheckedAttempt,
  request: RequestFacts,
): Promise<TokenAnswer | undefined> {
  const { userId, homeTenantId, tenantId } = person
  if (checkedHash === null || userId === null || homeTenantId === null || tenantId === null) return undefined
  const owner = { userId, tenantId: homeTenantId }
  const hash = kind === 'password' ? await renewOutdatedHash(deps, owner, checkedHash, secret) : checkedHash
  return signIn(deps, { userId, tenantId, way: kind, method: 'pwd', checkedHash: hash, fingerprint }, request)
}

/** Once for all that are refused until the window is over, so that nobody fills the log by guessing. */
function recordRefusal(deps: Deps, kind: SecretKind, person: SignInRow, request: RequestFacts): Promise<void> {
  if (person.verdict === 'throttled') return recordFailure(deps.database, 'sign-in.throttled', person, kind, request)
  return recordLock(deps.database, kind, person, deps.outbox.seal('way-in-locked', { wayIn: kind }), request)
}

function reasonFor(kind: SecretKind, person: SignInRow): string {
  return person.userId === null ? 'unknown-user' : (person.refusal ?? `wrong-${kind}`)
}

/** One name, however it is written. */
function foldIdentifier({ email, username, phone }: PersonIdentifier): string {
  return email === null ? (username?.toLowerCase() ?? phone ?? '') : foldEmail(email)
}

const kinds = ['email', 'username', 'phone', 'identifier'] as const

export function readIdentifier(body: Partial<Record<(typeof kinds)[number], string>>): PersonIdentifier {
  const given = kinds.filter(kind => body[kind] !== undefined)
  const [kind] = given
  if (kind === undefined || given.length > 1) throw problem('invalid-input', undefined, { errors: faultsOf(given) })
  const text = body[kind] ?? ''
  if (kind === 'phone') return { email: null, username: null, phone: readPhone(text) }
  const meant = kind === 'identifier' ? kindOf(text) : kind
  return {
    email: null,
    username: null,
    phone: null,
    [meant]: meant === 'phone' ? (normalizePhone(text) ?? text) : text,
  }
}

function faultsOf(given: readonly string[]): InputFault[] {
  const message = 'send exactly one of email, username, phone and identifier'
  return given.length === 0 ? [{ pointer: '', message }] : given.map(kind => ({ pointer: `/${kind}`, message }))
}

function kindOf(identifier: string): keyof PersonIdentifier {
  if (identifier.includes('@')) return 'email'
  return identifier.startsWith('+') ? 'phone' : 'username'
}
