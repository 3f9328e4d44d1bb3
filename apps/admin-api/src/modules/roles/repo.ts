import { rolePermissions, roles, type TenantTx, translateConstraint } from '@signet/db'
import { type Grant, newId, type Page, problem, type RoleId } from '@signet/kernel'
import { and, eq, getTableColumns, inArray, sql } from 'drizzle-orm'
import { holdsText, listRows, sortText } from '../lists/index.ts'
import type { RoleQuery } from './schema.ts'

type RoleRow = typeof roles.$inferSelect

/** A role with the codes of what it holds now, in alphabetical order, and what its policies make of that. */
export type Role = RoleRow & { readonly permissions: readonly string[] } & RoleEffects

/** What having a role can do to what a person may. */
export interface RoleEffects {
  /** What it gives at most: what it holds and what policies on it permit. */
  readonly reach: readonly string[]
  /** What policies on it forbid: whoever takes it away gives this back. */
  readonly withheld: readonly string[]
}

const meanings = {
  roles__tenant_id_name: () => problem('role-name-taken'),
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
  return { ...page, items: await withPermissions(tx, page.items) }
}

/** Those of `ids` that are roles of this tenant, locked against change until the transaction ends. */
export async function lockRoles(tx: TenantTx, ids: readonly RoleId[]): Promise<Role[]> {
  if (ids.length === 0) return []
  const found = await tx.db
    .select()
    .from(roles)
    .where(and(eq(roles.tenantId, tx.tenantId), inArray(roles.id, [...ids])))
    .orderBy(roles.id)
    .for('share')
  return withPermissions(tx, found)
}

/** @throws Problem `role-not-found` */
export async function findRole(tx: TenantTx, id: RoleId): Promise<Role> {
  return only(tx, await tx.db.select().from(roles).where(isRole(tx, id)))
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
  const [role] = await withPermissions(tx, rows)
  if (role === undefined) throw problem('role-not-found')
  return role
}

async function withPermissions(tx: TenantTx, rows: readonly RoleRow[]): Promise<Role[]> {
  const ids = rows.map(row => row.id)
  const held = await findPermissionsOf(tx, ids)
  const named = await findPolicyEffectsOf(tx, ids)
  return rows.map(row => {
    const permissions = held.get(row.id) ?? []
    const { permitted = [], forbidden = [] } = named.get(row.id) ?? {}
    return { ...row, permissions, reach: [...new Set([...permissions, ...permitted])], withheld: forbidden }
  })
}

/** The codes that policies on each of these roles permit or forbid, whatever their conditions. */
async function findPolicyEffectsOf(
  { sql: statement, tenantId }: TenantTx,
  ids: readonly RoleId[],
): Promise<ReadonlyMap<RoleId, { readonly permitted: string[]; readonly forbidden: string[] }>> {
  if (ids.length === 0) return new Map()
  const found = await statement<{ id: RoleId; permitted: string[]; forbidden: string[] }[]>`
    select a.role_id as id,
      coalesce(array_agg(distinct p.code order by p.code) filter (where s.effect = 'permit'), '{}') as permitted,
      coalesce(array_agg(distinct p.code order by p.code) filter (where s.effect = 'forbid'), '{}') as forbidden
    from policy_attachments a
    join policy_statements s on s.tenant_id = a.tenant_id and s.policy_id = a.policy_id and s.is_template
    join tenants t on t.id = a.tenant_id
    join permissions p on (s.actions is null or p.code = any(s.actions)) and (t.is_platform or not p.is_platform)
    where a.tenant_id = ${tenantId} and a.role_id = any(${[...ids]}::uuid[])
    group by a.role_id`
  return new Map(found.map(({ id, permitted, forbidden }) => [id, { permitted, forbidden }]))
}

/** What each of these roles holds now: what is listed, all of a tenant's, or all. */
export async function findPermissionsOf(
  { sql: statement, tenantId }: TenantTx,
  ids: readonly RoleId[],
): Promise<ReadonlyMap<RoleId, readonly string[]>> {
  if (ids.length === 0) return new Map()
  const held = await statement<{ id: RoleId; codes: string[] }[]>`
    select r.id, array_agg(p.code order by p.code) as codes
    from roles r join permissions p on case r.holds
      when 'all' then true
      when 'tenant' then not p.is_platform
      else exists (
        select from role_permissions rp
        where rp.tenant_id = r.tenant_id and rp.role_id = r.id and rp.permission_code = p.code)
    end
    where r.tenant_id = ${tenantId} and r.id = any(${[...ids]}::uuid[])
    group by r.id`
  return new Map(held.map(({ id, codes }) => [id, codes]))
}
