import { type Database, runStatement } from '@signet/db'
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
