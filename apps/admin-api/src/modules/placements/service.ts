/** Who holds which position. A member holds one at most, so whoever is put into one leaves the other. */
import { recordAudit } from '@signet/accounts'
import type { TenantTx } from '@signet/db'
import {
  type Actor,
  authorize,
  type Grant,
  type MembershipId,
  type Page,
  type PositionId,
  Problem,
  problem,
  type UserId,
} from '@signet/kernel'
import type { Deps } from '../../deps.ts'
import type { Caller } from '../../wire/caller.ts'
import { assertVersion } from '../../wire/versions.ts'
import { actAs } from '../actors/index.ts'
import {
  findMembership,
  listMembers,
  lockMembership,
  type Membership,
  type MembershipRow,
} from '../memberships/index.ts'
import { findPosition, lockPosition } from '../positions/index.ts'
import { placementPolicy } from './policy.ts'
import { updatePlace } from './repo.ts'
import type { HolderQuery, MembershipChange } from './schema.ts'

/** Guests and invitations too. @throws Problem `position-not-found`, `invalid-cursor` */
export function listHolders(
  deps: Deps,
  caller: Caller,
  id: PositionId,
  query: HolderQuery,
): Promise<Page<MembershipRow>> {
  return actAs(deps, caller, 'positions:read', async tx => {
    await findPosition(tx, id)
    return listMembers(tx, deps.keys.cursor, { ...query, position_id: id })
  })
}

/**
 * Puts a person into the position; nothing happens when they are in it.
 * @throws Problem `position-not-found`, `user-not-found`, `forbidden` for one who holds more than the actor, `version-mismatch`
 */
export function assignPosition(
  deps: Deps,
  caller: Caller,
  id: PositionId,
  userId: UserId,
  ifMatch: string | undefined,
): Promise<void> {
  return actAs(deps, caller, 'positions:modify', async (tx, actor) => {
    assertVersion(ifMatch, await lockPosition(tx, id, 'to assign'))
    await place(tx, mayPlace(actor, await lockPerson(tx, userId)), id)
  })
}

/** @throws Problem `user-not-found` for one who does not hold the position, and as `assignPosition` */
export function withdrawPosition(
  deps: Deps,
  caller: Caller,
  id: PositionId,
  userId: UserId,
  ifMatch: string | undefined,
): Promise<void> {
  return actAs(deps, caller, 'positions:modify', async (tx, actor) => {
    assertVersion(ifMatch, await lockPosition(tx, id, 'to assign'))
    const membership = await lockPerson(tx, userId)
    if (membership.positionId !== id) throw problem('user-not-found', 'This person does not hold the position.')
    await place(tx, mayPlace(actor, membership), null)
  })
}

/** @throws Problem `membership-not-found`, `position-not-found`, `forbidden`, `version-mismatch` */
export function changeMembership(
  deps: Deps,
  caller: Caller,
  id: MembershipId,
  { position_id }: MembershipChange,
  ifMatch: string | undefined,
): Promise<MembershipRow> {
  return actAs(deps, caller, 'positions:modify', async (tx, actor) => {
    const membership = await lockMembership(tx, { membershipId: id })
    const grant = mayPlace(actor, membership)
    assertVersion(ifMatch, membership)
    const positionId = position_id === undefined ? membership.positionId : (position_id as PositionId | null)
    return place(tx, grant, positionId)
  })
}

/** @throws Problem `forbidden` */
function mayPlace(actor: Actor, membership: Membership): Grant<'positions:modify', Membership> {
  return authorize(placementPolicy, 'positions:modify', actor, membership)
}

/** The membership as it is then. */
async function place(
  tx: TenantTx,
  grant: Grant<'positions:modify', Membership>,
  positionId: PositionId | null,
): Promise<MembershipRow> {
  const { actor, resource: membership } = grant
  if (membership.positionId === positionId) return membership
  await updatePlace(tx, grant, positionId)
  const after = await findMembership(tx, { membershipId: membership.id })
  const { userId, id } = membership
  await recordAudit(tx, {
    action: positionId === null ? 'position.withdrawn' : 'position.assigned',
    actor,
    ...(userId === null ? { targetType: 'membership', targetId: id } : { targetType: 'user', targetId: userId }),
    before: describe(membership),
    after: describe(after),
    request: actor.request,
  })
  return after
}

/** The membership of a person, at home here or a guest. @throws Problem `user-not-found` */
async function lockPerson(tx: TenantTx, userId: UserId): Promise<Membership> {
  try {
    return await lockMembership(tx, { userId })
  } catch (error) {
    throw error instanceof Problem && error.code === 'membership-not-found' ? problem('user-not-found') : error
  }
}

function describe({ positionId, place: held }: MembershipRow): Record<string, unknown> {
  return { position_id: positionId, position: held?.position.title ?? null }
}
