import type { Database } from './connect.ts'
import { countMigrations } from './migration-check.ts'

/** What is worth knowing of a database before a program is started on it. */
export interface DatabaseFacts {
  /** As `server_version_num`: 150004 is 15.4. */
  readonly version: number
  /** By how much its clock is ahead of ours. */
  readonly clockAheadMs: number
  /** Migrations that are applied; undefined where the login may not see them. */
  readonly applied: number | undefined
  readonly needed: number
}

/** @throws the driver's error where it cannot be reached */
export async function inspectDatabase({ sql }: Database, now: () => number = Date.now): Promise<DatabaseFacts> {
  // The first statement connects, which would be taken for a difference of the clocks.
  const [server] = await sql<[{ version: number; mayRead: boolean | null }]>`
    select current_setting('server_version_num')::integer as version,
      has_table_privilege(to_regclass('schema_migrations'), 'select') as "mayRead"`
  const askedAt = now()
  const [clock] = await sql<[{ at: number }]>`
    select (extract(epoch from clock_timestamp()) * 1000)::double precision as at`
  const heardAt = now()
  const facts = { version: server.version, clockAheadMs: clock.at - (askedAt + heardAt) / 2 }
  const needed = await countMigrations()
  // Null: there is no such table, so nothing was ever applied.
  if (server.mayRead === null) return { ...facts, applied: 0, needed }
  if (!server.mayRead) return { ...facts, applied: undefined, needed }
  const [history] = await sql<[{ applied: number }]>`select count(*)::integer as applied from schema_migrations`
  return { ...facts, applied: history.applied, needed }
}
