import { assertGrantable, recordAudit } from '@signet/accounts'
import { authorize, type MembershipId, type Page, problem, type RoleId } from '@signet/kernel'
import type { Deps } from '../../deps.ts'
import type { Caller } from '../../wire/caller.ts'
import { assertVersion } from '../../wire/versions.ts'
import { actAs } from '../actors/index.ts'
import { type Answer, makeOnce, type Once } from '../idempotency/index.ts'
import { giveRoles } from './assignments.ts'
import { membershipPolicy } from './policy.ts'
import * as repo from './repo.ts'
import type { MembershipQuery, NewMembership } from './schema.ts'

export type MembershipRow = repo.MembershipRow

export function listMemberships(deps: Deps, caller: Caller, query: MembershipQuery): Promise<Page<repo.MembershipRow>> {
  return actAs(deps, caller, 'memberships:list', async (tx, actor) => {
    authorize(membershipPolicy, 'memberships:list', actor, null)
    return repo.listMemberships(tx, deps.keys.cursor, query)
  })
}

/** @throws Problem `membership-not-found` */
export function readMembership(deps: Deps, caller: Caller, id: MembershipId): Promise<repo.MembershipRow> {
  return actAs(deps, caller, 'memberships:read', async (tx, actor) => {
    const membership = await repo.findMembership(tx, { membershipId: id })
    authorize(membershipPolicy, 'memberships:read', actor, membership)
    return membership
  })
}

/**
 * Invites an address. Nothing is looked up: the answer is the same whether somebody has an account with it or nobody does.
 * @throws Problem `membership-exists` for an address that this tenant has invited, `role-not-found`, `grant-exceeds-own`
 */
export function invite<Body>(
  deps: Deps,
  caller: Caller,
  { email, role_ids = [] }: NewMembership,
  once: Once<repo.MembershipRow, Body>,
): Promise<Answer<Body>> {
  return actAs(deps, caller, 'memberships:create', (tx, actor) =>
    makeOnce(tx, actor, once, async () => {
      const grant = authorize(membershipPolicy, 'memberships:create', actor, null)
      const invitation = await repo.insertInvitation(tx, grant, email)
      await recordAudit(tx, {
        action: 'membership.invited',
        actor,
        targetType: 'membership',
        targetId: invitation.id,
        after: { email: invitation.invitedEmail },
        request: actor.request,
      })
      await giveRoles(tx, actor, invitation, role_ids as RoleId[])
      const made = await repo.findMembership(tx, { membershipId: invitation.id })
      // Whoever invites may be the one who reads the mail: what everybody here has by a policy counts as well.
      assertGrantable(actor, made.held)
      return made
    }),
  )
}

/**
 * Takes back an invitation, or a guest out of the tenant; the guest's sessions here end with it.
 * @throws Problem `membership-not-found`, `user-state-conflict` at home, `last-administrator`, `version-mismatch`
 */
export function removeMembership(
  deps: Deps,
  caller: Caller,
  id: MembershipId,
  ifMatch: string | undefined,
): Promise<void> {
  return actAs(deps, caller, 'memberships:delete', async (tx, actor) => {
    const membership = await repo.lockMembership(tx, { membershipId: id })
    const grant = authorize(membershipPolicy, 'memberships:delete', actor, membership)
    assertVersion(ifMatch, membership)
    if (membership.userId !== null && !membership.isGuest) {
      throw problem('user-state-conflict', 'The person is at home in this tenant: delete the person instead.')
    }
    const ended = await repo.deleteMembership(tx, grant)
    await recordAudit(tx, {
      action: 'membership.removed',
      actor,
      targetType: 'membership',
      targetId: id,
      before: { user_id: membership.userId, email: membership.invitedEmail },
      after: { sessions_ended: ended },
      request: actor.request,
    })
  })
}
