/**
 * One-time codes, for whoever has a use for them. One statement asks and one spends, whoever the address belongs to: known,
 * unknown, suspended and throttled cannot be told apart by answer or time (HOUSE 4.8).
 */
import { networkOf } from '@signet/http'
import type { TenantId, UserId } from '@signet/kernel'
import type { Deps, RequestFacts } from '../../deps.ts'
import { fingerprintOf, foldEmail, subjectOf } from '../../devices.ts'
import { drawCode, hashCode } from './code.ts'
import {
  type CodeChannel,
  type CodeOutcome,
  type CodePurpose,
  type CodeRef,
  insertCode,
  spendCode,
  unspendCode,
} from './repo.ts'

interface CodeSubject {
  readonly purpose: CodePurpose
  readonly channel: CodeChannel
  /** An e-mail address in any case, or a number in E.164. */
  readonly destination: string
  /** For a person who is signed in. Without it the address tells who is meant. */
  readonly userId?: UserId
  /** The slug of the tenant to sign in to. */
  readonly tenant?: string | undefined
}

export interface CodeRequest extends CodeSubject {
  readonly ttlSeconds: number
  /** Guesses. */
  readonly maxAttempts: number
  readonly template: `${CodePurpose}-code`
}

/**
 * Sends a code where there is somebody to send it to and the limits allow it, and says neither. A new code replaces the one
 * before of the same purpose; a request beyond the limits leaves it alive.
 */
export async function requestCode(deps: Deps, wanted: CodeRequest, request: RequestFacts): Promise<void> {
  const { ttlSeconds, maxAttempts, template } = wanted
  const code = drawCode()
  const message = deps.outbox.seal(template, { code, minutes: Math.ceil(ttlSeconds / 60) })
  const network = subjectOf(deps, 'network', networkOf(request.ip))
  const ref = refer(deps, wanted, code, request)
  await insertCode(deps.database, { ...ref, network, ttlSeconds, maxAttempts, template, message }, request)
}

/**
 * Evaluates one guess. A right code is spent by it and has shown that the address is the person's: it is verified from now on,
 * and where it was not before, what somebody else may have left in the account is gone (`contact` alone changes nothing).
 */
export async function verifyCode(
  deps: Deps,
  guess: CodeSubject & { readonly codeText: string },
  request: RequestFacts,
): Promise<CodeOutcome> {
  const wayIn = guess.purpose === 'password-reset' ? 'password-reset' : 'code'
  const notice = deps.outbox.seal('way-in-locked', { wayIn })
  return spendCode(deps.database, refer(deps, guess, guess.codeText, request), notice, request)
}

/** Gives a code back that {@link verifyCode} has just spent on what could not be done. Its guesses stay counted. */
export async function returnCode(
  deps: Deps,
  guess: CodeSubject & { readonly codeText: string },
  person: { readonly userId: UserId; readonly homeTenantId: TenantId },
  request: RequestFacts,
): Promise<void> {
  await unspendCode(deps.database, refer(deps, guess, guess.codeText, request), person)
}

function refer(
  deps: Deps,
  { purpose, channel, destination, userId, tenant }: CodeSubject,
  code: string,
  request: RequestFacts,
): CodeRef {
  const address = channel === 'email' ? destination.toLowerCase() : destination
  return {
    purpose,
    channel,
    address,
    userId: userId ?? null,
    tenant: { slug: tenant ?? null, defaultSlug: deps.defaultTenant ?? null },
    subject: subjectOf(deps, 'address', address),
    counted: subjectOf(deps, 'counted-address', channel === 'email' ? foldEmail(address) : address),
    fingerprint: fingerprintOf(deps, request),
    hash: hashCode(deps, purpose, { channel, address }, code),
  }
}
