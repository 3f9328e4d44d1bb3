import { type Database, runStatement } from '@signet/db'

/** Asks the database for one row. @throws Problem `database-unavailable` */
export async function askDatabase(database: Database): Promise<void> {
  await runStatement(database, sql => sql`select 1`)
}
