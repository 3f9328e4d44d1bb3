import { type Database, runStatement } from '@signet/db'
import type { TenantId } from '@signet/kernel'

/** Undefined where the installation has no first administrator yet. */
export async function findPlatformTenant(database: Database): Promise<TenantId | undefined> {
  const [row] = await runStatement(database, sql => sql<[{ id: TenantId | null }]>`select platform_tenant() as id`)
  return row.id ?? undefined
}
