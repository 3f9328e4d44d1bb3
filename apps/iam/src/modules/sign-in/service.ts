/**
 * One path for all: look up, one hash, one more statement, so that an unknown name, a wrong password and a suspended account
 * cannot be told apart by answer or time (HOUSE 4.8). The reason stands in the audit event alone.
 */
import { type InputFault, problem } from '@signet/kernel'
import type { Deps, RequestFacts } from '../../deps.ts'
import { signIn, type TokenAnswer } from '../tokens/index.ts'
import { findSignIn, type PersonIdentifier, recordFailure, type SignInRow } from './repo.ts'
import type { SignInRequest } from './schema.ts'

/** @throws Problem `invalid-input`, `invalid-credentials`, `hashing-busy` */
export async function signInByPassword(deps: Deps, body: SignInRequest, request: RequestFacts): Promise<TokenAnswer> {
  const person = await findSignIn(deps.database, readIdentifier(body), body.tenant, deps.defaultTenant)
  const checkedHash = person?.refusal === null ? person.hash : null
  const isRight = await deps.hasher.verify(checkedHash, body.password)
  if (isRight && checkedHash !== null && person !== undefined && person.tenantId !== null) {
    const { userId, tenantId } = person
    const answer = await signIn(deps, { userId, tenantId, checkedHash }, request)
    if (answer !== undefined) return answer
  }
  await recordFailure(
    deps.database,
    {
      tenantId: person?.tenantId ?? person?.homeTenantId ?? null,
      userId: person?.userId ?? null,
      reason: isRight ? 'changed-meanwhile' : reasonFor(person),
    },
    request,
  )
  throw problem('invalid-credentials')
}

function reasonFor(person: SignInRow | undefined): string {
  return person === undefined ? 'unknown-user' : (person.refusal ?? 'wrong-password')
}

const kinds = ['email', 'username', 'phone', 'identifier'] as const

function readIdentifier(body: SignInRequest): PersonIdentifier {
  const given = kinds.filter(kind => body[kind] !== undefined)
  const [kind] = given
  if (kind === undefined || given.length > 1) throw problem('invalid-input', undefined, { errors: faultsOf(given) })
  const text = body[kind] ?? ''
  const meant = kind === 'identifier' ? kindOf(text) : kind
  return { email: null, username: null, phone: null, [meant]: text }
}

function faultsOf(given: readonly string[]): InputFault[] {
  const message = 'send exactly one of email, username, phone and identifier'
  return given.length === 0 ? [{ pointer: '', message }] : given.map(kind => ({ pointer: `/${kind}`, message }))
}

function kindOf(identifier: string): keyof PersonIdentifier {
  if (identifier.includes('@')) return 'email'
  return identifier.startsWith('+') ? 'phone' : 'username'
}
