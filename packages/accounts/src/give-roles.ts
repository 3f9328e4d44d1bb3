/**
 * Nobody gives more than they hold (THREATS X-02): a role is given by whoever can hand on all that it gives at most, and
 * taken away by whoever can hand on what it withholds, since taking a forbid away gives.
 */
import type { TenantTx } from '@signet/db'
import { type Actor, type Grant, lackedPermissions, problem, type RoleId } from '@signet/kernel'
import { recordAudit } from './audit-repo.ts'
import { deleteAssignment, insertAssignment, lockRoles, type Role, type RoleHolder } from './roles-repo.ts'

/** @throws Problem `grant-exceeds-own` naming those of `codes` that the actor cannot hand on */
export function assertGrantable(actor: Actor, codes: Iterable<string>): void {
  const lacked = lackedPermissions(actor, codes)
  if (lacked.length > 0) throw problem('grant-exceeds-own', `You do not hold ${lacked.join(', ')}.`)
}

/**
 * Gives roles. Audited as `role.assigned`, each that is new.
 * @param grant of the change of the holder, or of the creation that makes them
 * @returns how many the holder did not have before
 * @throws Problem `role-not-found`, `grant-exceeds-own`
 */
export async function giveRoles(
  tx: TenantTx,
  grant: Grant<string, unknown>,
  holder: RoleHolder,
  roleIds: readonly RoleId[],
): Promise<number> {
  if (roleIds.length === 0) return 0
  const roles = await lockRoles(tx, roleIds)
  if (roles.length < new Set(roleIds).size) throw problem('role-not-found')
  assertGrantable(
    grant.actor,
    roles.flatMap(role => role.reach),
  )
  let given = 0
  for (const role of roles) {
    if (!(await insertAssignment(tx, grant, holder, role.id))) continue
    given += 1
    await record(tx, grant.actor, holder, 'role.assigned', { after: describe(role) })
  }
  return given
}

/**
 * Takes a role away. Audited as `role.withdrawn`.
 * @throws Problem `role-not-found` when the holder lacks it, `grant-exceeds-own`, `last-administrator`
 */
export async function withdrawRole(
  tx: TenantTx,
  grant: Grant<'memberships:modify', RoleHolder>,
  roleId: RoleId,
): Promise<void> {
  const [role] = await lockRoles(tx, [roleId])
  if (role === undefined || !(await deleteAssignment(tx, grant, roleId))) throw problem('role-not-found')
  assertGrantable(grant.actor, role.withheld)
  await record(tx, grant.actor, grant.resource, 'role.withdrawn', { before: describe(role) })
}

function describe({ id, name }: Role): Record<string, unknown> {
  return { role_id: id, role: name }
}

function record(
  tx: TenantTx,
  actor: Actor,
  { userId, id }: RoleHolder,
  action: string,
  change: { before?: Record<string, unknown>; after?: Record<string, unknown> },
): Promise<void> {
  const target = userId === null ? { targetType: 'membership', targetId: id } : { targetType: 'user', targetId: userId }
  return recordAudit(tx, { action, actor, ...target, ...change, request: actor.request })
}
