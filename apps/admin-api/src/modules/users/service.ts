import * as accounts from '@signet/accounts'
import type { User } from '@signet/accounts'
import type { TenantTx } from '@signet/db'
import { announceUser } from '@signet/delivery'
import { type Actor, authorize, type Page, type UserId } from '@signet/kernel'
import type { Deps } from '../../deps.ts'
import type { Caller } from '../../wire/caller.ts'
import { assertVersion } from '../../wire/versions.ts'
import { actAs } from '../actors/index.ts'
import { findSubjects, type Holding, listHoldings, withBundle } from '../bundles/index.ts'
import { type Answer, makeOnce, type Once } from '../idempotency/index.ts'
import { namesOf, preparePerson } from './new-person.ts'
import { passwordPolicy, type Standing, userPolicy } from './policy.ts'
import { findStanding, listUsers, lockUser } from './repo.ts'
import type { NewUser, UserChange, UserQuery } from './schema.ts'

/** A person with what decides who may act on them. */
type Person = User & Standing

export function listPeople(deps: Deps, caller: Caller, query: UserQuery): Promise<Page<User>> {
  return actAs(deps, caller, 'users:list', async (tx, actor) => {
    authorize(userPolicy, 'users:list', actor, null)
    return listUsers(tx, deps.keys.cursor, query)
  })
}

/** @throws Problem `user-not-found` */
export function readUser(deps: Deps, caller: Caller, id: UserId): Promise<User> {
  return actAs(deps, caller, 'users:read', (tx, actor) => findVisible(tx, actor, id))
}

/**
 * A person at home in this tenant, with the role `member` and those of `role_ids`.
 * @throws Problem `email-taken`, `phone-taken`, `username-taken`, `role-not-found`, `grant-exceeds-own`, `password-…`
 */
export async function createUser<Body>(
  deps: Deps,
  caller: Caller,
  body: NewUser,
  once: Once<User, Body>,
): Promise<Answer<Body>> {
  const person = await preparePerson(deps, caller, 'users:create', body)
  return actAs(deps, caller, 'users:create', (tx, actor) =>
    makeOnce(tx, actor, once, async () => {
      const user = await accounts.createPerson(tx, actor, person)
      await announceUser(deps, tx, user)
      return user
    }),
  )
}

/** @throws Problem `user-not-found`, `forbidden`, `email-taken`, `phone-taken`, `username-taken`, `version-mismatch` */
export function changeUser(
  deps: Deps,
  caller: Caller,
  id: UserId,
  change: UserChange,
  ifMatch: string | undefined,
): Promise<User> {
  return actAs(deps, caller, 'users:modify', async (tx, actor) => {
    const grant = authorize(userPolicy, 'users:modify', actor, await lockPerson(tx, id))
    assertVersion(ifMatch, grant.resource)
    return accounts.changeUser(tx, grant, namesOf(change))
  })
}

/** Ends all sessions of the person. @throws Problem `user-not-found`, `user-state-conflict`, `last-administrator` */
export function suspendUser(deps: Deps, caller: Caller, id: UserId): Promise<User> {
  return actAs(deps, caller, 'users:modify', async (tx, actor) =>
    accounts.suspendUser(tx, authorize(userPolicy, 'users:modify', actor, await lockPerson(tx, id))),
  )
}

/** Opens what strangers have locked by failing, too. @throws Problem `user-not-found` */
export function activateUser(deps: Deps, caller: Caller, id: UserId): Promise<User> {
  return actAs(deps, caller, 'users:modify', async (tx, actor) =>
    accounts.activateUser(tx, authorize(userPolicy, 'users:modify', actor, await lockPerson(tx, id))),
  )
}

/**
 * Ends all sessions of the person, who gets a notice.
 * @returns the temporary password, which is kept nowhere
 * @throws Problem `user-not-found`, `forbidden`, `hashing-busy`
 */
export async function resetPassword(deps: Deps, caller: Caller, id: UserId): Promise<string> {
  const mayReset = async (tx: TenantTx, actor: Actor) =>
    authorize(passwordPolicy, 'users:modify', actor, await lockPerson(tx, id))
  // Hashing costs far more than asking first, and would hold a connection for as long.
  await actAs(deps, caller, 'users:modify', mayReset)
  const password = accounts.createTemporaryPassword()
  const hash = await deps.hasher.hash(password)
  await actAs(deps, caller, 'users:modify', async (tx, actor) => {
    const grant = await mayReset(tx, actor)
    await accounts.resetPassword(tx, grant, hash)
    const { email } = grant.resource
    if (email === null) return
    const message = { channel: 'email', recipient: email, userId: id, template: 'password-changed', data: {} } as const
    await deps.outbox.enqueue(tx, message)
  })
  return password
}

/** Ends all sessions of the person. @throws Problem `user-not-found`, `last-administrator`, `version-mismatch` */
export function removeUser(deps: Deps, caller: Caller, id: UserId, ifMatch: string | undefined): Promise<void> {
  return actAs(deps, caller, 'users:delete', async (tx, actor) => {
    const grant = authorize(userPolicy, 'users:delete', actor, await lockPerson(tx, id))
    assertVersion(ifMatch, grant.resource)
    await accounts.deleteUser(tx, grant)
  })
}

/** What the person may do in this tenant now, each with all that gives it and takes it away. @throws Problem `user-not-found` */
export function listEffectivePermissions(deps: Deps, caller: Caller, id: UserId): Promise<Holding[]> {
  return actAs(deps, caller, 'users:read', async (tx, actor) => {
    await findVisible(tx, actor, id)
    const subject = (await findSubjects(tx, tx.tenantId, [id])).get(id)
    if (subject === undefined) return []
    return withBundle(tx, tx.tenantId, ({ bundle }) => listHoldings(bundle, subject))
  })
}

async function findVisible(tx: TenantTx, actor: Actor, id: UserId): Promise<User> {
  const user = await accounts.findUser(tx, id)
  authorize(userPolicy, 'users:read', actor, user)
  return user
}

/** Nobody else changes the person before this transaction ends. @throws Problem `user-not-found` */
export async function lockPerson(tx: TenantTx, id: UserId): Promise<Person> {
  const user = await lockUser(tx, id)
  return { ...user, ...(await findStanding(tx, user)) }
}
