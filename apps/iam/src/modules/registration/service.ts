import { checkPassword, createUser, wordsAbout } from '@signet/accounts'
import { inTenant } from '@signet/db'
import { authorize, problem } from '@signet/kernel'
import type { Deps, RequestFacts } from '../../deps.ts'
import { announceUser } from '../../events.ts'
import { describePerson } from '../../person-answer.ts'
import { registrationPolicy } from './policy.ts'
import { findRegistrationTenant } from './repo.ts'
import type { RegisteredUser, RegistrationRequest } from './schema.ts'

/**
 * Somebody makes an account for themselves.
 * @throws Problem `invalid-input`, `registration-closed`, `password-…`, `email-taken`, `username-taken`, `phone-taken`,
 *   `hashing-busy`
 */
export async function registerUser(
  deps: Deps,
  body: RegistrationRequest,
  request: RequestFacts,
): Promise<RegisteredUser> {
  if (body.email === undefined && body.username === undefined) {
    const message = 'one of email and username is required'
    throw problem('invalid-input', undefined, {
      errors: ['/email', '/username'].map(pointer => ({ pointer, message })),
    })
  }
  const tenant = await findRegistrationTenant(deps.database, body.tenant ?? deps.defaultTenant)
  if (tenant === undefined) throw problem('registration-closed')
  const grant = authorize(registrationPolicy, 'users:register', { request }, tenant)
  const { password, tenant: _slug, first_name: firstName, last_name: lastName, ...members } = body
  const person = {
    ...members,
    ...(firstName === undefined ? {} : { firstName }),
    ...(lastName === undefined ? {} : { lastName }),
  }
  checkPassword(password, { minLength: deps.passwordMinLength, ownWords: wordsAbout(person) })
  const passwordHash = await deps.hasher.hash(password)
  const user = await inTenant(deps.database, tenant.id, async tx => {
    const created = await createUser(tx, grant, { ...person, passwordHash })
    await announceUser(deps, tx, created)
    return created
  })
  return describePerson(user)
}
