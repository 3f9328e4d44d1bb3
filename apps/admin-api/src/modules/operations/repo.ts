import { type Database, runStatement } from '@signet/db'

/** @throws Problem `database-unavailable` */
export async function askDatabase(db: Database): Promise<void> {
  await runStatement(db, sql => sql`select 1`)
}
