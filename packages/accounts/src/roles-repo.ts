import { membershipRoles, memberships, roles, type TenantTx, translateConstraint } from '@signet/db'
import { type Grant, type MembershipId, problem, type RoleId, type TenantId, type UserId } from '@signet/kernel'
import { and, eq, inArray, sql } from 'drizzle-orm'

export type RoleRow = typeof roles.$inferSelect

/** A role with the codes of what it holds now, in alphabetical order, and what its policies make of that. */
export type Role = RoleRow & { readonly permissions: readonly string[] } & RoleEffects

/** What having a role can do to what a person may. */
interface RoleEffects {
  /** What it gives at most: what it holds and what policies on it permit. */
  readonly reach: readonly string[]
  /** What policies on it forbid: whoever takes it away gives this back. */
  readonly withheld: readonly string[]
}

/** What roles hang on: the membership of a person, or an invitation, which has no person yet. */
export interface RoleHolder {
  readonly tenantId: TenantId
  readonly id: MembershipId
  readonly userId: UserId | null
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
  return withEffects(tx, found)
}

export async function withEffects(tx: TenantTx, rows: readonly RoleRow[]): Promise<Role[]> {
  const ids = rows.map(row => row.id)
  const held = await findPermissionsOf(tx, ids)
  const named = await findPolicyEffectsOf(tx, ids)
  const conditioned = ids.length === 0 ? [] : await findCodesThatRolesDecide(tx)
  return rows.map(row => {
    const permissions = held.get(row.id) ?? []
    const { permitted = [], forbidden = [] } = named.get(row.id) ?? {}
    return {
      ...row,
      permissions,
      reach: [...new Set([...permissions, ...permitted, ...conditioned])],
      withheld: [...new Set([...forbidden, ...conditioned])],
    }
  })
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

/**
 * The codes of statements whose condition reads the roles of a person, by id or by name: any role may be the one that they look
 * for, so that to have or to lack it gives these or takes them.
 */
async function findCodesThatRolesDecide({ sql: statement, tenantId }: TenantTx): Promise<readonly string[]> {
  const found = await statement<{ code: string }[]>`
    select distinct p.code
    from policy_statements s
    join tenants t on t.id = s.tenant_id
    join permissions p on (s.actions is null or p.code = any(s.actions)) and (t.is_platform or not p.is_platform)
    where s.tenant_id = ${tenantId} and s.reads_roles
    order by p.code`
  return found.map(({ code }) => code)
}

/** What a person may at most in this tenant. */
export async function findReach({ sql: statement, tenantId }: TenantTx, userId: UserId): Promise<readonly string[]> {
  const [row] = await statement<{ reach: string[] }[]>`select reach from member_access(${tenantId}, ${userId})`
  return row?.reach ?? []
}

/** The membership of a person in this tenant. @throws Problem `membership-not-found` */
export async function findHolder({ db, tenantId }: TenantTx, userId: UserId): Promise<RoleHolder> {
  const [holder] = await db
    .select({ tenantId: memberships.tenantId, id: memberships.id, userId: memberships.userId })
    .from(memberships)
    .where(and(eq(memberships.tenantId, tenantId), eq(memberships.userId, userId)))
  if (holder === undefined) throw problem('membership-not-found')
  return holder
}

/** False when the holder had the role before. */
export async function insertAssignment(
  tx: TenantTx,
  _grant: Grant<string, unknown>,
  holder: RoleHolder,
  roleId: RoleId,
): Promise<boolean> {
  const { tenantId, id: membershipId } = holder
  const made = await tx.db
    .insert(membershipRoles)
    .values({ tenantId, membershipId, roleId })
    .onConflictDoNothing()
    .returning({ roleId: membershipRoles.roleId })
  if (made.length > 0) await touch(tx, holder)
  return made.length > 0
}

/** False when the holder did not have the role. @throws Problem `last-administrator` */
export async function deleteAssignment(
  tx: TenantTx,
  grant: Grant<'memberships:modify', RoleHolder>,
  roleId: RoleId,
): Promise<boolean> {
  const { tenantId, id } = grant.resource
  const { tenantId: tenant, membershipId, roleId: role } = membershipRoles
  try {
    const gone = await tx.db
      .delete(membershipRoles)
      .where(and(eq(tenant, tenantId), eq(membershipId, id), eq(role, roleId)))
      .returning({ role })
    if (gone.length > 0) await touch(tx, grant.resource)
    return gone.length > 0
  } catch (error) {
    throw translateConstraint(error, { memberships__last_administrator: () => problem('last-administrator') })
  }
}

async function touch({ db }: TenantTx, { tenantId, id }: RoleHolder): Promise<void> {
  await db
    .update(memberships)
    .set({ version: sql`${memberships.version} + 1`, updatedAt: sql`now()` })
    .where(and(eq(memberships.tenantId, tenantId), eq(memberships.id, id)))
}
