import { Problem, problem, type TenantId, type UserId } from '@signet/kernel'
import type { Deps, RequestFacts } from '../../deps.ts'
import { type Contact, readContact } from '../../contact.ts'
import { fingerprintOf } from '../../devices.ts'
import type { Door } from '../doors/index.ts'
import { registerProven } from '../registration/index.ts'
import { signIn, type TokenAnswer } from '../tokens/index.ts'
import { recordRefusal } from './repo.ts'
import type { CodeRequestBody, CodeVerification } from './schema.ts'
import { requestCode, verifyCode } from './service.ts'

const purpose = 'sign-in'
const maxAttempts = 5

/** @throws Problem `invalid-input` */
export async function requestSignInCode(deps: Deps, body: CodeRequestBody, request: RequestFacts): Promise<void> {
  const wanted = { ...readContact(body), purpose, tenant: body.tenant, template: 'sign-in-code' } as const
  await requestCode(deps, { ...wanted, ttlSeconds: deps.codes.signInTtlSeconds, maxAttempts }, request)
}

/**
 * Signs in with a code. Whoever shows that a new address is theirs becomes a person of the tenant, where it takes them in; at a
 * door nobody is made.
 * @throws Problem `invalid-input`, `invalid-code` whatever else is wrong
 */
export async function signInByCode(
  deps: Deps,
  body: CodeVerification,
  request: RequestFacts,
  door?: Door,
): Promise<TokenAnswer> {
  const answer = await tryCode(deps, body, request, door)
  if (typeof answer === 'string') throw problem('invalid-code')
  return answer
}

/**
 * As `signInByCode`; `refused` is for the right code of somebody who may not come in, who is suspended say: only callers of an
 * older system are told so.
 * @throws Problem `invalid-input`
 */
export async function tryCode(
  deps: Deps,
  body: CodeVerification,
  request: RequestFacts,
  door?: Door,
): Promise<TokenAnswer | 'wrong' | 'refused'> {
  const contact = readContact(body)
  const { channel } = contact
  const verified = await verifyCode(deps, { ...contact, purpose, tenant: body.tenant, codeText: body.code }, request)
  if (verified.outcome === 'wrong' || verified.outcome === 'refused') {
    deps.counts.signInFailed('code', verified.outcome)
    return verified.outcome
  }
  const refuse = async (reason: string, who?: { readonly tenantId: TenantId; readonly userId: UserId }) => {
    deps.counts.signInFailed('code', reason)
    const { tenantId = null, userId = null } = who ?? {}
    await recordRefusal(deps.database, tenantId, userId, { purpose, channel, reason }, request)
    return 'wrong' as const
  }
  const isMadeHere = verified.outcome === 'new-person' && door === undefined
  const made = isMadeHere ? await register(deps, contact, body.tenant, request) : undefined
  const person = verified.outcome === 'right' ? verified : made
  if (person === undefined) return refuse('not-registered')
  const { userId, tenantId } = person
  if (door !== undefined && !(await door(person))) return refuse('other-door', person)
  const method = channel === 'email' ? 'otp' : 'sms'
  const fingerprint = fingerprintOf(deps, request)
  const signedIn = { userId, tenantId, way: 'code', method, checkedHash: null, fingerprint } as const
  const answer = await signIn(deps, signedIn, request)
  return answer ?? refuse('changed-meanwhile', person)
}

/** Undefined where the address was taken or the tenant closed since the code was spent. */
async function register(
  deps: Deps,
  contact: Contact,
  tenant: string | undefined,
  request: RequestFacts,
): Promise<{ readonly userId: UserId; readonly tenantId: TenantId } | undefined> {
  try {
    const user = await registerProven(deps, contact, tenant, request)
    return { userId: user.id, tenantId: user.tenantId }
  } catch (error) {
    if (error instanceof Problem && lostRaces.has(error.code)) return undefined
    throw error
  }
}

const lostRaces: ReadonlySet<string> = new Set(['registration-closed', 'email-taken', 'phone-taken'])
