import { type Database, runStatement } from '@signet/db'
import type { PersonKind, TenantId, UserId } from '@signet/kernel'

export interface Visitor {
  readonly kind: PersonKind
  readonly roles: readonly string[]
  readonly isPlatformStaff: boolean
}

/** Who somebody is in the tenant that they are about to enter. */
export async function findVisitor(database: Database, tenantId: TenantId, userId: UserId): Promise<Visitor> {
  const [row] = await runStatement(
    database,
    sql => sql<[Visitor]>`
      select kind, roles, is_platform_staff as "isPlatformStaff" from member_access(${tenantId}, ${userId})`,
  )
  return row
}
