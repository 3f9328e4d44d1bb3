import { createUser, hashNewPassword, type Registrant, type User } from '@signet/accounts'
import { inTenant } from '@signet/db'
import { announceUser } from '@signet/delivery'
import { authorize, type Grant, problem } from '@signet/kernel'
import { type Contact, readPhone } from '../../contact.ts'
import type { Deps, RequestFacts } from '../../deps.ts'
import { fingerprintOf } from '../../devices.ts'
import { describePerson } from '../../person-answer.ts'
import { type RegistrationTenant, registrationPolicy } from './policy.ts'
import { findRegistrationTenant, rememberDevice } from './repo.ts'
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
  const grant = await admit(deps, body.tenant, request)
  const { password, tenant: _slug, first_name: firstName, last_name: lastName, phone, ...members } = body
  const person = {
    ...members,
    ...(phone === undefined ? {} : { phone: readPhone(phone) }),
    ...(firstName === undefined ? {} : { firstName }),
    ...(lastName === undefined ? {} : { lastName }),
  }
  const passwordHash = await hashNewPassword(deps, password, person)
  return describePerson(await create(deps, grant, { ...person, passwordHash }, request))
}

/**
 * Somebody who has shown that a new address is theirs becomes a person, without a password.
 * @throws Problem `registration-closed`, `email-taken`, `phone-taken`
 */
export async function registerProven(
  deps: Deps,
  { channel, destination }: Contact,
  tenant: string | undefined,
  request: RequestFacts,
): Promise<User> {
  const grant = await admit(deps, tenant, request)
  const now = new Date(deps.clock())
  const address =
    channel === 'email' ? { email: destination, emailVerifiedAt: now } : { phone: destination, phoneVerifiedAt: now }
  return create(deps, grant, { ...address, passwordHash: null }, request)
}

/** @throws Problem `registration-closed`, also where there is no such tenant */
async function admit(
  deps: Deps,
  slug: string | undefined,
  request: RequestFacts,
): Promise<Grant<'users:register', RegistrationTenant, Registrant>> {
  const tenant = await findRegistrationTenant(deps.database, slug ?? deps.defaultTenant)
  if (tenant === undefined) throw problem('registration-closed')
  return authorize(registrationPolicy, 'users:register', { request }, tenant)
}

/** The device is known from now on: whoever confirms the address on it is whoever chose the password. */
async function create(
  deps: Deps,
  grant: Grant<'users:register', RegistrationTenant, Registrant>,
  person: Parameters<typeof createUser>[2],
  request: RequestFacts,
): Promise<User> {
  return inTenant(deps.database, grant.resource.id, async tx => {
    const user = await createUser(tx, grant, person)
    await rememberDevice(tx, user, fingerprintOf(deps, request))
    await announceUser(deps, tx, user)
    return user
  })
}
