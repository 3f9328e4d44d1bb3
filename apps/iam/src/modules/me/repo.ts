import { type Database, runStatement, translateConstraint } from '@signet/db'
import { type MembershipId, problem, type TenantId, type UserId } from '@signet/kernel'
import type { RequestFacts } from '../../deps.ts'

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
