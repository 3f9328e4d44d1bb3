import type { TenantTx } from '@signet/db'
import { problem, type RoleId } from '@signet/kernel'

/** The built-in role of whoever administers this tenant. */
export async function findAdminRole({ sql, tenantId }: TenantTx): Promise<RoleId> {
  const [role] = await sql<{ id: RoleId }[]>`
    select id from roles where tenant_id = ${tenantId} and name = 'admin' and holds = 'tenant'`
  if (role === undefined) throw problem('role-not-found')
  return role.id
}
