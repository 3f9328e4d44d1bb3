import { assertGrantable, recordAudit, type Role } from '@signet/accounts'
import type { TenantTx } from '@signet/db'
import { type Actor, authorize, type Grant, type Page, problem, type RoleId } from '@signet/kernel'
import type { Deps } from '../../deps.ts'
import type { Caller } from '../../wire/caller.ts'
import { assertVersion, requireVersion } from '../../wire/versions.ts'
import { actAs } from '../actors/index.ts'
import { type Answer, makeOnce, type Once } from '../idempotency/index.ts'
import { rolePolicy } from './policy.ts'
import * as repo from './repo.ts'
import type { NewRole, RoleChange, RoleQuery } from './schema.ts'

export function listRoles(deps: Deps, caller: Caller, query: RoleQuery): Promise<Page<Role>> {
  return actAs(deps, caller, 'roles:list', async (tx, actor) => {
    authorize(rolePolicy, 'roles:list', actor, null)
    return repo.listRoles(tx, deps.keys.cursor, query)
  })
}

/** @throws Problem `role-not-found` */
export function readRole(deps: Deps, caller: Caller, id: RoleId): Promise<Role> {
  return actAs(deps, caller, 'roles:read', async (tx, actor) => {
    const role = await repo.findRole(tx, id)
    authorize(rolePolicy, 'roles:read', actor, role)
    return role
  })
}

/** @throws Problem `role-name-taken`, `unknown-permission`, `grant-exceeds-own` */
export function createRole<Body>(
  deps: Deps,
  caller: Caller,
  { name, description = '', permissions = [] }: NewRole,
  once: Once<Role, Body>,
): Promise<Answer<Body>> {
  return actAs(deps, caller, 'roles:create', (tx, actor) =>
    makeOnce(tx, actor, once, async () => {
      const grant = authorize(rolePolicy, 'roles:create', actor, null)
      const made = await repo.insertRole(tx, grant, { name, description })
      await givePermissions(tx, grant, made, permissions)
      const role = { ...made, permissions: permissions.toSorted(), reach: permissions }
      await audit(tx, actor, 'role.created', role, { after: describe(role) })
      return role
    }),
  )
}

/** @throws Problem `role-not-found`, `built-in-role`, `version-required`, `version-mismatch`, and as `createRole` */
export function changeRole(
  deps: Deps,
  caller: Caller,
  id: RoleId,
  change: RoleChange,
  ifMatch: string | undefined,
): Promise<Role> {
  return actAs(deps, caller, 'roles:modify', async (tx, actor) => {
    const before = await repo.lockRole(tx, id)
    authorizeChange(actor, before)
    requireVersion(ifMatch, before)
    return applyRoleChange(tx, actor, before, change)
  })
}

/** Of a role that is locked. @throws Problem `built-in-role`, and as `createRole` */
export async function applyRoleChange(
  tx: TenantTx,
  actor: Actor,
  before: Role,
  { name, description, permissions }: RoleChange,
): Promise<Role> {
  const grant = authorizeChange(actor, before)
  if (permissions !== undefined) {
    const added = permissions.filter(code => !before.permissions.includes(code))
    await repo.deleteRolePermissions(
      tx,
      grant,
      before.permissions.filter(code => !permissions.includes(code)),
    )
    await givePermissions(tx, grant, before, added)
  }
  const after = await repo.updateRole(tx, grant, {
    ...(name === undefined ? {} : { name }),
    ...(description === undefined ? {} : { description: description ?? '' }),
  })
  await audit(tx, actor, 'role.modified', after, { before: describe(before), after: describe(after) })
  return after
}

/** @throws Problem `role-not-found`, `built-in-role`, `role-in-use`, `version-required`, `version-mismatch` */
export function removeRole(deps: Deps, caller: Caller, id: RoleId, ifMatch: string | undefined): Promise<void> {
  return actAs(deps, caller, 'roles:delete', async (tx, actor) => {
    const before = await repo.lockRole(tx, id)
    const grant = authorize(rolePolicy, 'roles:delete', actor, before)
    assertOwnMaking(before)
    requireVersion(ifMatch, before)
    await repo.deleteRole(tx, grant)
    await audit(tx, actor, 'role.deleted', before, { before: describe(before) })
  })
}

/** Adds one permission; nothing happens when the role holds it. @throws as `changeRole`, but for `version-required` */
export function addRolePermission(
  deps: Deps,
  caller: Caller,
  id: RoleId,
  code: string,
  ifMatch: string | undefined,
): Promise<Role> {
  return actAs(deps, caller, 'roles:modify', async (tx, actor) => {
    const before = await repo.lockRole(tx, id)
    const grant = authorizeChange(actor, before)
    assertVersion(ifMatch, before)
    if (before.permissions.includes(code)) return before
    await givePermissions(tx, grant, before, [code])
    const after = await repo.updateRole(tx, grant, {})
    await audit(tx, actor, 'role.permission-added', after, { after: { permission: code } })
    return after
  })
}

/** Takes one permission away. @throws Problem `permission-not-found` when the role lacks it; as `addRolePermission` */
export function removeRolePermission(
  deps: Deps,
  caller: Caller,
  id: RoleId,
  code: string,
  ifMatch: string | undefined,
): Promise<Role> {
  return actAs(deps, caller, 'roles:modify', async (tx, actor) => {
    const before = await repo.lockRole(tx, id)
    const grant = authorizeChange(actor, before)
    assertVersion(ifMatch, before)
    if (!before.permissions.includes(code)) throw problem('permission-not-found', 'The role does not hold it.')
    await repo.deleteRolePermissions(tx, grant, [code])
    const after = await repo.updateRole(tx, grant, {})
    await audit(tx, actor, 'role.permission-removed', after, { before: { permission: code } })
    return after
  })
}

/**
 * A permission that works on the installation goes into a role of the platform alone, whoever gives it.
 * @throws Problem `unknown-permission`, `grant-exceeds-own`
 */
async function givePermissions(
  tx: TenantTx,
  grant: Grant<'roles:create' | 'roles:modify', Role | null>,
  role: Role,
  codes: readonly string[],
): Promise<void> {
  const catalogue = await repo.findGrantable(tx, codes)
  const refuse = (refused: readonly string[], why: string) => {
    if (refused.length > 0) throw problem('unknown-permission', `${why}: ${refused.join(', ')}.`)
  }
  refuse(
    codes.filter(code => !catalogue.some(each => each.code === code)),
    'Not in the catalogue',
  )
  assertGrantable(grant.actor, codes)
  refuse(
    catalogue.flatMap(each => (each.fits ? [] : [each.code])),
    'Only a role of the platform can hold',
  )
  await repo.insertRolePermissions(tx, grant, role, codes)
}

/** @throws Problem `forbidden`, `built-in-role` */
function authorizeChange(actor: Actor, role: Role): Grant<'roles:modify', Role> {
  const grant = authorize(rolePolicy, 'roles:modify', actor, role)
  assertOwnMaking(role)
  return grant
}

function assertOwnMaking(role: Role): void {
  if (role.isBuiltIn) throw problem('built-in-role')
}

function describe({ name, description, permissions }: Role): Record<string, unknown> {
  return { name, description, permissions }
}

function audit(
  tx: TenantTx,
  actor: Actor,
  action: string,
  { id }: Role,
  change: { before?: Record<string, unknown>; after?: Record<string, unknown> },
): Promise<void> {
  return recordAudit(tx, { action, actor, targetType: 'role', targetId: id, ...change, request: actor.request })
}
