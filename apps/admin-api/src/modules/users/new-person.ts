/** From the body of a creation or a change to what packages/accounts takes. */
import * as accounts from '@signet/accounts'
import { problem, type RoleId, type Rule } from '@signet/kernel'
import type { Deps } from '../../deps.ts'
import type { Caller } from '../../wire/caller.ts'
import { actAs } from '../actors/index.ts'
import type { NewUser, UserChange } from './schema.ts'

/** The members of a new person of any kind. */
export interface NewPersonBody extends NewUser {
  readonly password_change_required?: boolean
}

/**
 * Checks and hashes the password before the transaction of the creation: hashing costs far more than asking first whether the
 * caller may, and would hold a connection for as long.
 * @param needed what the creation needs of the caller
 * @throws Problem `invalid-input` without an identifier, `forbidden`, `password-…`, `hashing-busy`
 */
export async function preparePerson(
  deps: Deps,
  caller: Caller,
  needed: string | Rule<null>,
  { password, password_change_required, role_ids = [], ...members }: NewPersonBody,
): Promise<accounts.NewPerson> {
  const person = namesOf(members)
  const { email, phone, username } = members
  if (email === undefined && phone === undefined && username === undefined) {
    const message = 'is required where there is neither phone nor username'
    throw problem('invalid-input', undefined, { errors: [{ pointer: '/email', message }] })
  }
  let passwordHash: string | null = null
  if (password !== undefined) {
    await actAs(deps, caller, needed, async () => undefined)
    passwordHash = await accounts.hashNewPassword(deps, password, person)
  }
  const mustChangePassword = password_change_required ?? false
  return { ...person, passwordHash, mustChangePassword, roleIds: role_ids as RoleId[] }
}

/** The members of a change under the names that they have in the program. */
export function namesOf({ first_name, last_name, ...rest }: UserChange) {
  return {
    ...rest,
    ...(first_name === undefined ? {} : { firstName: first_name }),
    ...(last_name === undefined ? {} : { lastName: last_name }),
  }
}
