import { type Database, runStatement, type TenantTx, translateConstraint } from '@signet/db'
import { type MembershipId, problem, type TenantId, type UserId } from '@signet/kernel'
import type { RequestFacts } from '../../deps.ts'
import type { Brand } from './schema.ts'

export interface TenantRow {
  readonly id: TenantId
  readonly slug: string
  readonly name: string
}

export interface MembershipRow {
  readonly id: MembershipId
  readonly tenant: TenantRow
  readonly roles: string[]
}

/** Where a person may go, and the tenant in which they work now: platform staff need no membership there. */
export async function findPlaces(
  database: Database,
  userId: UserId,
  tenantId: TenantId,
): Promise<{ tenant: TenantRow; memberships: MembershipRow[] }> {
  const [row] = await runStatement(
    database,
    sql => sql<[{ tenant: TenantRow; memberships: MembershipRow[] }]>`
      select
        (select json_build_object('id', id, 'slug', slug, 'name', name) from all_tenants where id = ${tenantId}) as tenant,
        coalesce((
          select json_agg(json_build_object('id', membership_id, 'roles', roles,
            'tenant', json_build_object('id', tenant_id, 'slug', tenant_slug, 'name', tenant_name)))
          from memberships_of(${userId})), '[]') as memberships`,
  )
  return row
}

/** Of the first advisor that the person was assigned to and who carries one; else of the tenant; else none. */
export async function findBrandFor({ sql, tenantId }: TenantTx, userId: UserId): Promise<Brand | null> {
  const [brand] = await sql<Brand[]>`
    select b.id, b.name, b.logo_url, b.primary_color
    from brands b
    where b.tenant_id = ${tenantId} and b.id = coalesce(
      (
        select m.brand_id
        from advisor_clients a
        join memberships m on m.tenant_id = a.tenant_id and m.user_id = a.advisor_id and m.brand_id is not null
        join membership_roles mr on mr.tenant_id = m.tenant_id and mr.membership_id = m.id
        join roles r on r.tenant_id = mr.tenant_id and r.id = mr.role_id and r.name = 'advisor'
        where a.tenant_id = ${tenantId} and a.user_id = ${userId}
        order by a.created_at, a.advisor_id
        limit 1
      ),
      (select t.brand_id from tenants t where t.id = ${tenantId}))`
  return brand ?? null
}

/**
 * Takes up an invitation that was sent to the person's own address. The function audits it in the inviting tenant.
 * @returns that tenant, or undefined where there is no such invitation for them
 * @throws Problem `membership-exists`
 */
export async function acceptInvitation(
  database: Database,
  userId: UserId,
  id: MembershipId,
  request: RequestFacts,
): Promise<TenantId | undefined> {
  try {
    const [row] = await runStatement(
      database,
      sql => sql<[{ tenantId: TenantId | null }]>`
        select accept_membership(${id}, ${userId}, ${request.ip}, ${request.id}) as "tenantId"`,
    )
    return row.tenantId ?? undefined
  } catch (error) {
    throw translateConstraint(error, { memberships__tenant_id_user_id: () => problem('membership-exists') })
  }
}
