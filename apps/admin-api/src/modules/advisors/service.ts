/** Who advises whom: an advisor acts for the people who are assigned to them, and for nobody else. */
import { recordAudit } from '@signet/accounts'
import type { TenantTx } from '@signet/db'
import { authorize, type Grant, type Page, Problem, problem, type UserId } from '@signet/kernel'
import type { Deps } from '../../deps.ts'
import type { Caller } from '../../wire/caller.ts'
import { actAs } from '../actors/index.ts'
import { findMembership } from '../memberships/index.ts'
import { advisorPolicy } from './policy.ts'
import {
  type AdvisedRow,
  type Assignment,
  deleteAssignment,
  findAdvisor,
  insertAssignment,
  listAdvised,
} from './repo.ts'
import type { AdvisedQuery } from './schema.ts'

export type { AdvisedRow }

/** @throws Problem `advisor-not-found` for whoever lacks the role, `invalid-cursor` */
export function listClients(
  deps: Deps,
  caller: Caller,
  advisorId: UserId,
  query: AdvisedQuery,
): Promise<Page<AdvisedRow>> {
  return actAs(deps, caller, 'advisors:list', async (tx, actor) => {
    authorize(advisorPolicy, 'advisors:list', actor, null)
    await findAdvisor(tx, advisorId)
    return listAdvised(tx, deps.keys.cursor, advisorId, query)
  })
}

/**
 * Nothing happens when the advisor has the client.
 * @throws Problem `advisor-not-found` for whoever lacks the role, `user-not-found`, `forbidden` for a client who holds more than
 *   the actor, `invalid-input` for the advisor themself
 */
export function assignClient(deps: Deps, caller: Caller, advisorId: UserId, userId: UserId): Promise<void> {
  return actAs(deps, caller, 'advisors:modify', async (tx, actor) => {
    await findAdvisor(tx, advisorId, { lock: true })
    const { held } = await findMember(tx, userId, 'user-not-found')
    const grant = authorize(advisorPolicy, 'advisors:modify', actor, { advisorId, userId, held })
    if (await insertAssignment(tx, grant)) await audit(tx, grant, 'advisor.client-assigned', 'after')
  })
}

/**
 * Nothing happens when the advisor does not have the client, who may have lost the role meanwhile.
 * @throws Problem `advisor-not-found`, `user-not-found` for whoever is no member
 */
export function removeClient(deps: Deps, caller: Caller, advisorId: UserId, userId: UserId): Promise<void> {
  return actAs(deps, caller, 'advisors:modify', async (tx, actor) => {
    await findMember(tx, advisorId, 'advisor-not-found')
    await findMember(tx, userId, 'user-not-found')
    // Taken away is nothing that the client holds: whoever may assign may do this to anybody.
    const grant = authorize(advisorPolicy, 'advisors:modify', actor, { advisorId, userId, held: [] })
    if (await deleteAssignment(tx, grant)) await audit(tx, grant, 'advisor.client-removed', 'before')
  })
}

async function findMember(tx: TenantTx, userId: UserId, missing: 'advisor-not-found' | 'user-not-found') {
  try {
    return await findMembership(tx, { userId })
  } catch (error) {
    throw error instanceof Problem && error.code === 'membership-not-found' ? problem(missing) : error
  }
}

function audit(
  tx: TenantTx,
  { actor, resource }: Grant<'advisors:modify', Assignment>,
  action: string,
  when: 'before' | 'after',
): Promise<void> {
  return recordAudit(tx, {
    action,
    actor,
    targetType: 'user',
    targetId: resource.userId,
    [when]: { advisor_id: resource.advisorId },
    request: actor.request,
  })
}
