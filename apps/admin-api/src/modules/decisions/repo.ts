import type { TenantTx } from '@signet/db'
import type { RoleId, UserId } from '@signet/kernel'

/** What somebody may: certainly, at most, and so firmly that they may hand it on. */
export interface Access {
  readonly permissions: readonly string[]
  readonly reach: readonly string[]
  readonly grantable: readonly string[]
}

/** Those whom a change of the role can concern, in the order of their ids: who has it, and the sub-clients of those. */
export async function listConcerned(
  { sql, tenantId }: TenantTx,
  roleId: RoleId,
  { after, limit }: { readonly after: string | undefined; readonly limit: number },
): Promise<{ readonly ids: UserId[]; readonly total: number }> {
  const [row] = await sql<{ ids: UserId[]; total: number }[]>`
    with holders as (
      select m.user_id as id
      from membership_roles mr join memberships m on m.tenant_id = mr.tenant_id and m.id = mr.membership_id
      where mr.tenant_id = ${tenantId} and mr.role_id = ${roleId} and m.user_id is not null and m.status = 'active'
    ), concerned as (
      select id from holders
      union
      select u.id from users u where u.tenant_id = ${tenantId} and u.parent_id in (select id from holders) and u.status <> 'deleted'
    )
    select (select count(*)::int from concerned) as total,
      array(
        select id from concerned where ${after ?? null}::uuid is null or id > ${after ?? null}::uuid
        order by id limit ${limit + 1}) as ids`
  return row ?? { ids: [], total: 0 }
}

export async function findAccess(
  { sql, tenantId }: TenantTx,
  ids: readonly UserId[],
): Promise<ReadonlyMap<UserId, Access>> {
  const rows = await sql<(Access & { readonly id: UserId })[]>`
    select u.id, a.permissions, a.reach, a.grantable
    from unnest(${[...ids]}::uuid[]) as u (id) cross join lateral member_access(${tenantId}, u.id) a`
  return new Map(rows.map(({ id, ...access }) => [id, access]))
}

/** Of members of this tenant. */
export async function findNames(
  { sql }: TenantTx,
  ids: readonly UserId[],
): Promise<ReadonlyMap<UserId, string | null>> {
  const rows = await sql<{ id: UserId; name: string | null }[]>`
    select id, coalesce(name, nullif(concat_ws(' ', first_name, last_name), ''), email, username) as name
    from guest_profiles(${[...ids]}::uuid[])`
  return new Map(rows.map(({ id, name }) => [id, name]))
}
