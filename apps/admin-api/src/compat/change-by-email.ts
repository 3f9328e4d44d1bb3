/** eng-identity's administrators change a person by their address: one role word, and whether they may sign in. */
import * as accounts from '@signet/accounts'
import type { TenantTx } from '@signet/db'
import { type Actor, authorize, type UserId } from '@signet/kernel'
import type { Deps } from '../deps.ts'
import { actAs } from '../modules/actors/index.ts'
import { giveRoles, listRolesOf, lockMembership, membershipPolicy } from '../modules/memberships/index.ts'
import { findBuiltInRole } from '../modules/roles/index.ts'
import { findUserByEmail, lockPerson, userPolicy } from '../modules/users/index.ts'
import type { Caller } from '../wire/caller.ts'

/** Both words are built-in roles of ours; a `client` has neither. */
const roleWords = ['admin', 'advisor'] as const
export type RoleWord = (typeof roleWords)[number] | 'client'

export interface ChangeByEmail {
  readonly role?: RoleWord
  readonly is_active?: boolean
}

/**
 * All of it or nothing.
 * @throws Problem `user-not-found`, `forbidden`, `grant-exceeds-own`, `last-administrator`, `client-not-active`
 */
export function changeByEmail(deps: Deps, caller: Caller, email: string, change: ChangeByEmail): Promise<void> {
  return actAs(deps, caller, 'users:modify', async (tx, actor) => {
    const person = await lockPerson(tx, await findUserByEmail(tx, email))
    const grant = authorize(userPolicy, 'users:modify', actor, person)
    const isActive = person.status === 'active'
    if (change.role !== undefined) await setRoleWord(tx, actor, person.id, change.role)
    if (change.is_active === true && !isActive) await accounts.activateUser(tx, grant)
    if (change.is_active === false && isActive) await accounts.suspendUser(tx, grant)
  })
}

/** Afterwards the member has the role of this word and that of no other; roles without a word stay. */
async function setRoleWord(tx: TenantTx, actor: Actor, userId: UserId, word: RoleWord): Promise<void> {
  const membership = await lockMembership(tx, { userId })
  const grant = authorize(membershipPolicy, 'memberships:modify', actor, membership)
  const held = (await listRolesOf(tx, membership.id)).filter(role => role.isBuiltIn)
  const wanted = roleWords.find(each => each === word)
  if (wanted !== undefined && !held.some(role => role.name === wanted))
    await giveRoles(tx, actor, membership, [await findBuiltInRole(tx, wanted)])
  for (const { id, name } of held)
    if (name !== word && roleWords.some(each => each === name)) await accounts.withdrawRole(tx, grant, id)
}
