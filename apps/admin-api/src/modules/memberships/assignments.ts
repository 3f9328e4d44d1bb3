/** Roles hang on memberships; a person of this tenant is found by their own id as well. */
import * as accounts from '@signet/accounts'
import type { TenantTx } from '@signet/db'
import { type Actor, authorize, problem, type RoleId } from '@signet/kernel'
import type { Deps } from '../../deps.ts'
import type { Caller } from '../../wire/caller.ts'
import { assertVersion } from '../../wire/versions.ts'
import { actAs } from '../actors/index.ts'
import { type Answer, makeOnce, type Once } from '../idempotency/index.ts'
import { membershipPolicy } from './policy.ts'
import { findMembership, listRolesOf, lockMembership, type Member, type Membership, type RoleOfMember } from './repo.ts'

export type { Member, RoleOfMember }

/** @throws Problem `user-not-found`, `membership-not-found` */
export function listAssignedRoles(deps: Deps, caller: Caller, member: Member): Promise<RoleOfMember[]> {
  const permission = 'userId' in member ? 'users:read' : 'memberships:read'
  return actAs(deps, caller, permission, async tx => {
    if ('userId' in member) await accounts.findUser(tx, member.userId)
    return listRolesOf(tx, (await findMembership(tx, member)).id)
  })
}

/** @throws Problem `role-already-assigned`, and as `ensureRole` */
export function assignRole<Body>(
  deps: Deps,
  caller: Caller,
  member: Member,
  roleId: RoleId,
  once: Once<RoleOfMember, Body>,
): Promise<Answer<Body>> {
  return actAs(deps, caller, 'memberships:modify', async (tx, actor) =>
    makeOnce(tx, actor, once, async () => {
      const { membership } = await lockMember(tx, member)
      const assigned = await giveRoles(tx, actor, membership, [roleId])
      if (assigned === 0) throw problem('role-already-assigned')
      const made = (await listRolesOf(tx, membership.id)).find(role => role.id === roleId)
      return made as RoleOfMember
    }),
  )
}

/**
 * Gives the role; nothing happens when the member has it.
 * @throws Problem `user-not-found`, `membership-not-found`, `role-not-found`, `grant-exceeds-own`, `version-mismatch`
 */
export function ensureRole(
  deps: Deps,
  caller: Caller,
  member: Member,
  roleId: RoleId,
  ifMatch: string | undefined,
): Promise<void> {
  return actAs(deps, caller, 'memberships:modify', async (tx, actor) => {
    const { membership, version } = await lockMember(tx, member)
    assertVersion(ifMatch, { version })
    await giveRoles(tx, actor, membership, [roleId])
  })
}

/** @throws Problem `role-not-found` when the member lacks it, `last-administrator`, and as `ensureRole` */
export function withdrawRole(
  deps: Deps,
  caller: Caller,
  member: Member,
  roleId: RoleId,
  ifMatch: string | undefined,
): Promise<void> {
  return actAs(deps, caller, 'memberships:modify', async (tx, actor) => {
    const { membership, version } = await lockMember(tx, member)
    const grant = authorize(membershipPolicy, 'memberships:modify', actor, membership)
    assertVersion(ifMatch, { version })
    await accounts.withdrawRole(tx, grant, roleId)
  })
}

/**
 * Gives roles to a membership of this transaction. Gives how many it did not have before.
 * @throws Problem `forbidden`, `role-not-found`, `grant-exceeds-own`
 */
export async function giveRoles(
  tx: TenantTx,
  actor: Actor,
  membership: Membership,
  roleIds: readonly RoleId[],
): Promise<number> {
  if (roleIds.length === 0) return 0
  accounts.assertMayGive(actor, roleIds)
  const grant = authorize(membershipPolicy, 'memberships:modify', actor, membership)
  return accounts.giveRoles(tx, grant, membership, roleIds)
}

/** The membership, and the version that an `If-Match` under this path names: that of the person or of the membership. */
async function lockMember(tx: TenantTx, member: Member): Promise<{ membership: Membership; version: number }> {
  const user = 'userId' in member ? await accounts.findUser(tx, member.userId) : undefined
  const membership = await lockMembership(tx, member)
  return { membership, version: (user ?? membership).version }
}
