import { type Database, runStatement } from '@signet/db'

/** The ids of the companies, oldest first; none before the installation is initialised. */
export async function listCompanyIds(database: Database): Promise<string[]> {
  const rows = await runStatement(
    database,
    sql => sql<{ id: string }[]>`select id from all_tenants where not is_platform order by created_at, id`,
  )
  return rows.map(row => row.id)
}
