import { recordAudit } from '@signet/accounts'
import type { TenantTx } from '@signet/db'
import { type Actor, authorize, type Page } from '@signet/kernel'
import type { Deps } from '../../deps.ts'
import type { Caller } from '../../wire/caller.ts'
import { assertVersion } from '../../wire/versions.ts'
import { actAs } from '../actors/index.ts'
import { type Answer, makeOnce, type Once } from '../idempotency/index.ts'
import { permissionPolicy } from './policy.ts'
import * as repo from './repo.ts'
import type { NewPermission, PermissionChange, PermissionQuery } from './schema.ts'

export type Permission = repo.Permission

export function listPermissions(deps: Deps, caller: Caller, query: PermissionQuery): Promise<Page<Permission>> {
  return actAs(deps, caller, 'permissions:list', async (tx, actor) => {
    authorize(permissionPolicy, 'permissions:list', actor, null)
    return repo.listPermissions(tx, deps.keys.cursor, query)
  })
}

/** @throws Problem `permission-not-found` */
export function readPermission(deps: Deps, caller: Caller, code: string): Promise<Permission> {
  return actAs(deps, caller, 'permissions:read', async (tx, actor) => {
    const permission = await repo.findPermission(tx, code)
    authorize(permissionPolicy, 'permissions:read', actor, permission)
    return permission
  })
}

/** @throws Problem `permission-code-taken` */
export function createPermission<Body>(
  deps: Deps,
  caller: Caller,
  newPermission: NewPermission,
  once: Once<Permission, Body>,
): Promise<Answer<Body>> {
  return actAs(deps, caller, 'permissions:create', (tx, actor) =>
    makeOnce(tx, actor, once, async () => {
      const grant = authorize(permissionPolicy, 'permissions:create', actor, null)
      const permission = await repo.insertPermission(tx, grant, newPermission)
      await audit(tx, actor, 'permission.created', permission.code, { after: describe(permission) })
      return permission
    }),
  )
}

/** @throws Problem `permission-not-found`, `version-mismatch` */
export function changePermission(
  deps: Deps,
  caller: Caller,
  code: string,
  change: PermissionChange,
  ifMatch: string | undefined,
): Promise<Permission> {
  return actAs(deps, caller, 'permissions:modify', async (tx, actor) => {
    const before = await repo.lockPermission(tx, code)
    const grant = authorize(permissionPolicy, 'permissions:modify', actor, before)
    assertVersion(ifMatch, before)
    const after = await repo.updatePermission(tx, grant, change.description ?? '')
    await audit(tx, actor, 'permission.modified', code, { before: describe(before), after: describe(after) })
    return after
  })
}

/** @throws Problem `permission-not-found`, `permission-in-use`, `version-mismatch` */
export function removePermission(deps: Deps, caller: Caller, code: string, ifMatch: string | undefined): Promise<void> {
  return actAs(deps, caller, 'permissions:delete', async (tx, actor) => {
    const before = await repo.lockPermission(tx, code)
    const grant = authorize(permissionPolicy, 'permissions:delete', actor, before)
    assertVersion(ifMatch, before)
    await repo.deletePermission(tx, grant)
    await audit(tx, actor, 'permission.deleted', code, { before: describe(before) })
  })
}

function describe({ code, service, description }: Permission): Record<string, unknown> {
  return { code, service, description }
}

function audit(
  tx: TenantTx,
  actor: Actor,
  action: string,
  targetId: string,
  change: { before?: Record<string, unknown>; after?: Record<string, unknown> },
): Promise<void> {
  return recordAudit(tx, { action, actor, targetType: 'permission', targetId, ...change, request: actor.request })
}
