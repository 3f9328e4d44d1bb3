import type { Database } from './connect.ts'
import { readMigrationFiles } from './migration-files.ts'
import { runStatement } from './tenant-scope.ts'

/** How many migrations come with this program. */
export async function countMigrations(): Promise<number> {
  return (await readMigrationFiles()).length
}

async function countApplied(database: Database): Promise<number> {
  const [row] = await runStatement(
    database,
    sql => sql<[{ applied: number }]>`select count(*)::integer as applied from schema_migrations`,
  )
  return row.applied
}

/**
 * A check that fails while the database lacks migrations that this program came with. A database that is ahead of it is being
 * prepared for the next version and serves this one; none goes back, so what was found once is not asked again.
 */
export function createMigrationCheck(database: Database): () => Promise<void> {
  let isApplied = false
  return async () => {
    if (isApplied) return
    const [needed, applied] = await Promise.all([countMigrations(), countApplied(database)])
    if (applied < needed)
      throw new Error(`The database is at migration ${applied}, and this program needs ${needed}. Run: pnpm migrate`)
    isApplied = true
  }
}
