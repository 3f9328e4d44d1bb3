/** Each call is ONE statement, and so a short transaction of its own: a SQL function that works across tenants. */
import { type Database, runStatement } from '@signet/db'

/** Tables, and the two kinds of counters. */
export const expiring = [
  'sessions',
  'otp_challenges',
  'client_tokens',
  'idempotency_keys',
  'known_devices',
  'turns',
  'failures',
] as const
export type Expiring = (typeof expiring)[number]

/** At most this many rows go at once. */
export const batchSize = 1_000

/** How many rows went; undefined where another node is at it. */
export async function removeExpired(database: Database, what: Expiring): Promise<number | undefined> {
  const [row] = await runStatement(
    database,
    sql => sql<{ removed: number | null }[]>`select remove_expired(${what}) as removed`,
  )
  return row?.removed ?? undefined
}

/** Draws from a new status list where the current one is a month old. */
export async function renewStatusList(database: Database): Promise<void> {
  await runStatement(database, sql => sql`select begin_status_list()`)
}

/** The names of those that were missing. */
export async function makePartitions(database: Database): Promise<string[]> {
  const rows = await runStatement(database, sql => sql<{ name: string }[]>`select make_partitions() as name`)
  return rows.map(({ name }) => name)
}

/** The names of those whose last row is older than so many days. */
export async function dropPartitions(
  database: Database,
  table: 'audit_events' | 'outbound_messages',
  days: number,
): Promise<string[]> {
  const rows = await runStatement(
    database,
    sql => sql<{ name: string }[]>`select drop_partitions(${table}, ${days}) as name`,
  )
  return rows.map(({ name }) => name)
}
