import { type Role, type RoleRow, withEffects } from '@signet/accounts'
import { rolePermissions, roles, type TenantTx, translateConstraint } from '@signet/db'
import { type Grant, newId, type Page, problem, type RoleId } from '@signet/kernel'
import { and, eq, getTableColumns, sql } from 'drizzle-orm'
import { holdsText, listRows, sortText } from '../lists/index.ts'
import type { RoleQuery } from './schema.ts'

const meanings = {
  roles__tenant_id_name: () => problem('role-name-taken'),
  // Wherever roles are known by name, this one is the platform's staff.
  roles__reserved_name: () =>
    problem('role-name-taken', 'The name super_admin is the platform’s own. Choose another name.'),
  role_permissions__permission: () => problem('unknown-permission'),
  membership_roles__role: () => problem('role-in-use', 'There are people or invitations that have this role.'),
}

export async function listRoles(tx: TenantTx, cursorKey: Uint8Array, query: RoleQuery): Promise<Page<Role>> {
  const { q, name, is_built_in } = query
  const page = await listRows<RoleRow>(
    tx,
    cursorKey,
    {
      name: 'roles',
      from: roles,
      columns: getTableColumns(roles),
      id: { by: roles.id, type: 'uuid' },
      sorts: { created_at: { by: roles.createdAt, type: 'timestamptz' }, name: sortText(roles.name) },
      filters: [
        eq(roles.tenantId, tx.tenantId),
        holdsText(q, roles.name, roles.description),
        name === undefined ? undefined : eq(roles.name, name),
        is_built_in === undefined ? undefined : eq(roles.isBuiltIn, is_built_in),
      ],
    },
    query,
  )
  return { ...page, items: await withEffects(tx, page.items) }
}

/** @throws Problem `role-not-found` */
export async function findRole(tx: TenantTx, id: RoleId): Promise<Role> {
  return only(tx, await tx.db.select().from(roles).where(isRole(tx, id)))
}

/** One that every tenant has from the start. @throws Problem `role-not-found` */
export async function findBuiltInRole({ db, tenantId }: TenantTx, name: 'admin' | 'advisor'): Promise<RoleId> {
  const isMeant = and(eq(roles.tenantId, tenantId), eq(roles.name, name), roles.isBuiltIn)
  const [role] = await db.select({ id: roles.id }).from(roles).where(isMeant)
  if (role === undefined) throw problem('role-not-found')
  return role.id
}

/** As `findRole`, and nobody else changes or assigns it before this transaction ends. @throws Problem `role-not-found` */
export async function lockRole(tx: TenantTx, id: RoleId): Promise<Role> {
  return only(tx, await tx.db.select().from(roles).where(isRole(tx, id)).for('update'))
}

/** @throws Problem `role-name-taken` */
export async function insertRole(
  tx: TenantTx,
  _grant: Grant<'roles:create', Role | null>,
  { name, description }: { readonly name: string; readonly description: string },
): Promise<Role> {
  try {
    const row = { tenantId: tx.tenantId, id: newId<RoleId>(), name, description }
    const [role] = await tx.db.insert(roles).values(row).returning()
    return { ...(role as RoleRow), permissions: [], reach: [], withheld: [] }
  } catch (error) {
    throw translateConstraint(error, meanings)
  }
}

/** A new version, also when nothing but the permissions has changed. @throws Problem `role-name-taken` */
export async function updateRole(
  tx: TenantTx,
  grant: Grant<'roles:modify', Role>,
  change: { readonly name?: string; readonly description?: string },
): Promise<Role> {
  const { id, version } = grant.resource
  try {
    const changed = await tx.db
      .update(roles)
      .set({ ...change, version: version + 1, updatedAt: sql`now()` })
      .where(isRole(tx, id))
      .returning()
    return await only(tx, changed)
  } catch (error) {
    throw translateConstraint(error, meanings)
  }
}

/** @throws Problem `role-in-use` */
export async function deleteRole(tx: TenantTx, grant: Grant<'roles:delete', Role>): Promise<void> {
  try {
    await tx.db.delete(roles).where(isRole(tx, grant.resource.id))
  } catch (error) {
    throw translateConstraint(error, meanings)
  }
}

/** Those of `codes` that are in the catalogue, and whether a role of this tenant may hold them. */
export async function findGrantable(
  tx: TenantTx,
  codes: readonly string[],
): Promise<{ readonly code: string; readonly fits: boolean }[]> {
  return tx.sql<{ code: string; fits: boolean }[]>`
    select p.code, not p.is_platform or t.is_platform as fits
    from permissions p join tenants t on t.id = ${tx.tenantId}
    where p.code = any(${[...codes]})`
}

/** Adds what the role does not hold yet. @throws Problem `unknown-permission` when one has left the catalogue meanwhile */
export async function insertRolePermissions(
  tx: TenantTx,
  _grant: Grant<'roles:create' | 'roles:modify', Role | null>,
  { tenantId, id: roleId }: Role,
  codes: readonly string[],
): Promise<void> {
  if (codes.length === 0) return
  try {
    await tx.db
      .insert(rolePermissions)
      .values(codes.map(permissionCode => ({ tenantId, roleId, permissionCode })))
      .onConflictDoNothing()
  } catch (error) {
    throw translateConstraint(error, meanings)
  }
}

export async function deleteRolePermissions(
  tx: TenantTx,
  grant: Grant<'roles:modify', Role>,
  codes: readonly string[],
): Promise<void> {
  await tx.sql`
    delete from role_permissions
    where tenant_id = ${tx.tenantId} and role_id = ${grant.resource.id} and permission_code = any(${[...codes]})`
}

function isRole({ tenantId }: TenantTx, id: RoleId) {
  return and(eq(roles.tenantId, tenantId), eq(roles.id, id))
}

async function only(tx: TenantTx, rows: readonly RoleRow[]): Promise<Role> {
  const [role] = await withEffects(tx, rows)
  if (role === undefined) throw problem('role-not-found')
  return role
}
