/**
 * Accounts that somebody makes for somebody else, as the administration makes them (packages/accounts): the same rules, ceiling
 * and audit. An administrator is made by platform staff alone.
 */
import {
  createClient,
  createPerson,
  createSubClient,
  creationPolicy,
  hashNewPassword,
  type NewPerson,
  type User,
} from '@signet/accounts'
import type { TenantTx } from '@signet/db'
import { announceUser } from '@signet/delivery'
import { isPlatformStaff, problem, type UserId } from '@signet/kernel'
import type { Principal } from '@signet/verifier'
import type { Deps, RequestFacts } from '../../deps.ts'
import { actInPerson, findSelfInPerson, type Self } from '../sessions/index.ts'
import { findAdminRole } from './repo.ts'

export interface NewAccount {
  readonly kind: 'admin' | 'client' | 'subclient'
  /** Of a sub-client; of the client that calls without it. */
  readonly clientId?: UserId | undefined
  /** At least one of the three. */
  readonly username?: string | undefined
  readonly email?: string | undefined
  /** E.164. */
  readonly phone?: string | undefined
  readonly name?: string | undefined
  /** Without one the person signs in with codes. */
  readonly password?: string | undefined
}

interface Creation {
  /** What is asked of the caller before a password is hashed for them, which costs more. */
  readonly mayMake: (self: Self) => true | string
  readonly make: (tx: TenantTx, self: Self, person: NewPerson, clientId: UserId | undefined) => Promise<User>
}

const creations: Record<NewAccount['kind'], Creation> = {
  admin: {
    mayMake: self => isPlatformStaff(self, null),
    make: async (tx, self, person) => createPerson(tx, self, { ...person, roleIds: [await findAdminRole(tx)] }),
  },
  client: { mayMake: self => creationPolicy.rules['clients:create'](self, null), make: createClient },
  subclient: {
    mayMake: self => creationPolicy.rules['sub-clients:create'](self, null),
    make: (tx, self, person, clientId) => createSubClient(tx, self, clientId, person),
  },
}

/**
 * @throws Problem `forbidden`, `invalid-input` where there is no client, `client-not-found`, `client-not-active`,
 *   `email-taken`, `phone-taken`, `username-taken`, `grant-exceeds-own`, `password-…`, `hashing-busy`
 */
export async function createAccount(
  deps: Deps,
  principal: Principal,
  { kind, clientId, password, ...names }: NewAccount,
  request: RequestFacts,
): Promise<User> {
  const { mayMake, make } = creations[kind]
  assertMay(mayMake(await findSelfInPerson(deps, principal, request)))
  const person = definedMembers(names)
  const passwordHash = password === undefined ? null : await hashNewPassword(deps, password, person)
  return actInPerson(deps, principal, request, async (tx, self) => {
    assertMay(mayMake(self))
    const user = await make(tx, self, { ...person, passwordHash }, clientId)
    await announceUser(deps, tx, user)
    return user
  })
}

/** @throws Problem `forbidden` with what is missing */
function assertMay(verdict: true | string): void {
  if (verdict !== true) throw problem('forbidden', verdict)
}

type Names = Pick<NewAccount, 'username' | 'email' | 'phone' | 'name'>

function definedMembers(names: Names): { [Name in keyof Names]?: string } {
  return Object.fromEntries(Object.entries(names).filter(([, value]) => value !== undefined))
}
