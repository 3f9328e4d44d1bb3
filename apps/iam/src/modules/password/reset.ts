/**
 * A lost password is set anew by a code that is mailed. One path for all: the new password is looked at and hashed before the
 * code is, so that known and unknown addresses cost the same, and whatever is wrong with address or code is one answer.
 */
import { checkPassword, findUser, resetPassword, type User, wordsAbout } from '@signet/accounts'
import { inTenant, type TenantTx } from '@signet/db'
import { authorize, Problem, problem, type UserId } from '@signet/kernel'
import type { Deps, RequestFacts } from '../../deps.ts'
import { requestCode, returnCode, verifyCode } from '../otp/index.ts'
import { sendNotice } from './notice.ts'
import { recoveryPolicy } from './policy.ts'
import type { PasswordReset, PasswordResetRequest } from './schema.ts'

const byMail = { purpose: 'password-reset', channel: 'email' } as const

/** Says nothing: no caller may know whether anybody has the address. */
export async function requestReset(deps: Deps, { email }: PasswordResetRequest, request: RequestFacts): Promise<void> {
  const { resetTtlSeconds: ttlSeconds, resetMaxAttempts: maxAttempts } = deps.codes
  const wanted = { ...byMail, destination: email, ttlSeconds, maxAttempts, template: 'password-reset-code' } as const
  await requestCode(deps, wanted, request)
}

/**
 * Sets the password, ends every session of the person and signs nobody in. What else the person is called is known only after
 * the code: a password that holds such words gives the code back, with its remaining guesses.
 * @throws Problem `password-…`, `hashing-busy`, `invalid-code` whatever else is wrong
 */
export async function confirmReset(
  deps: Deps,
  { email, code, new_password: password }: PasswordReset,
  request: RequestFacts,
): Promise<void> {
  const rules = { minLength: deps.passwordMinLength }
  checkPassword(password, { ...rules, ownWords: wordsAbout({ email }) })
  const hash = await deps.hasher.hash(password)
  const guess = { ...byMail, destination: email, codeText: code }
  const verified = await verifyCode(deps, guess, request)
  if (verified.outcome !== 'right') throw problem('invalid-code')
  const { userId, homeTenantId } = verified
  const user = await inTenant(deps.database, homeTenantId, tx => findHolder(tx, userId))
  try {
    checkPassword(password, { ...rules, ownWords: wordsAbout(user) })
  } catch (error) {
    await returnCode(deps, guess, verified, request)
    throw error
  }
  await inTenant(deps.database, homeTenantId, async tx => {
    const grant = authorize(recoveryPolicy, 'users:recover', { userId, request }, await findHolder(tx, userId))
    await resetPassword(tx, grant, hash)
    await sendNotice(deps, tx, grant.resource)
  })
}

/** @throws Problem `invalid-code` for whoever was deleted since the code was right */
async function findHolder(tx: TenantTx, userId: UserId): Promise<User> {
  try {
    return await findUser(tx, userId)
  } catch (error) {
    throw error instanceof Problem && error.code === 'user-not-found' ? problem('invalid-code') : error
  }
}
