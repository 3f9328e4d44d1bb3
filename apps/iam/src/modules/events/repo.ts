import { type Database, runStatement } from '@signet/db'

/** The bit of a session that has ended. */
export interface Revocation {
  readonly list: number
  readonly index: number
  /** When the session ended, in microseconds since 1970 on the database's clock. */
  readonly at: number
}

/** What ended at `since` (microseconds) or later, the oldest first. */
export async function listEndedSince(database: Database, since: number): Promise<Revocation[]> {
  const rows = await runStatement(
    database,
    sql => sql<{ list: number; index: number; at: string }[]>`
      select status_list::int as list, status_index as index, at from sessions_ended_since(to_timestamp(${since}::float8 / 1000000))`,
  )
  return rows.map(({ list, index, at }) => ({ list, index, at: Number(at) }))
}

/** The database's time in microseconds, and the version of the catalogue of permissions. */
export async function findPosition(database: Database): Promise<{ readonly at: number; readonly catalogue: number }> {
  const [row] = await runStatement(
    database,
    sql => sql<[{ at: string; catalogue: string }]>`
      select (extract(epoch from now()) * 1000000)::bigint as at, version as catalogue from permission_catalogue`,
  )
  return { at: Number(row.at), catalogue: Number(row.catalogue) }
}
