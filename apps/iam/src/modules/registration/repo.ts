import type { User } from '@signet/accounts'
import { type Database, runStatement, type TenantTx } from '@signet/db'
import type { RegistrationTenant } from './policy.ts'

/** The tenant of this slug, else the default one. Undefined where there is none. */
export async function findRegistrationTenant(
  database: Database,
  slug: string | undefined,
): Promise<RegistrationTenant | undefined> {
  const [row] = await runStatement(
    database,
    sql => sql<RegistrationTenant[]>`
      select id, status = 'active' and coalesce((settings ->> 'self_registration')::boolean, false) as "isOpen"
      from all_tenants where case when ${slug ?? null}::text is null then not is_platform else slug = ${slug ?? null} end
      order by created_at, id limit 1`,
  )
  return row
}

/** The device from which somebody has registered. */
export async function rememberDevice(tx: TenantTx, { tenantId, id }: User, fingerprint: Uint8Array): Promise<void> {
  await tx.sql`select remember_device(${tenantId}, ${id}, ${fingerprint})`
}
