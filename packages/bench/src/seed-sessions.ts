/**
 * Sessions of everybody who is there, and others that are long over, written by the server itself. Foreign keys and triggers are off
 * meanwhile, and indexes that keep nothing unique are built afterwards.
 */

import { createHash } from 'node:crypto'
import { type AdminSql, withAdminClient } from '@signet/db'
import type { SessionId } from '@signet/kernel'
import type { DatabaseAnswer } from './workers/database.ts'

export interface SessionCounts {
  readonly live: number
  /** Of lists from which no index is drawn any more. */
  readonly over: number
}

const rowsAtOnce = 500_000
/** The first list is that of the people who are signed in already. */
const perList = 65_536

/** Live ones have the numbers from 1, those that are over the ones after them. */
export function sessionIdOf(number: number): SessionId {
  return `019a0000-0000-7000-8000-${number.toString(16).padStart(12, '0')}` as SessionId
}

/** What the database holds of a session's first refresh token. */
export function leafOf(number: number): Buffer {
  return createHash('md5').update(`leaf ${number}`).digest()
}

export async function seedSessions({ superUrl }: DatabaseAnswer, { live, over }: SessionCounts): Promise<void> {
  await withAdminClient(superUrl, async sql => {
    await sql`set session_replication_role = replica`
    await sql`create temporary table people as select row_number() over (order by id) as number, tenant_id, id from users`
    await sql`create unique index on people (number)`
    await sql`analyze people`
    const [people] = await sql<[{ count: number }]>`select count(*)::int as count from people`
    const later = await dropIndexes(sql)
    for (let from = 1; from <= live + over; from += rowsAtOnce) {
      const until = Math.min(live + over, from + rowsAtOnce - 1)
      await sql`
        insert into sessions (tenant_id, id, user_id, amr, status_list, status_index, authenticated_at, expires_at)
        select p.tenant_id, ('019a0000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, p.id, '{pwd}', n / ${perList}::int + 2, n % ${perList}::int,
          at, at + interval '30 days'
        from generate_series(${from}::int, ${until}::int) n
        join people p on p.number = n % ${people.count}::int + 1
        cross join lateral (
          select case when n <= ${live}::int then now() - n % 25 * interval '1 day' else now() - interval '40 days' end as at) t`
      await sql`
        insert into refresh_tokens (tenant_id, session_id, leaf_hash, expires_at)
        select p.tenant_id, ('019a0000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, decode(md5('leaf ' || n), 'hex'), now() + interval '5 days'
        from generate_series(${from}::int, ${until}::int) n
        join people p on p.number = n % ${people.count}::int + 1`
    }
    for (const definition of later) await sql.unsafe(definition)
    await sql`select setval('status_index_draws', ${live + over + 3 * perList}::bigint)`
    await sql`set session_replication_role = origin`
    await sql`vacuum analyze sessions, refresh_tokens`
  })
}

async function dropIndexes(sql: AdminSql): Promise<string[]> {
  const indexes = await sql<{ name: string; definition: string }[]>`
    select indexrelid::regclass::text as name, pg_get_indexdef(indexrelid) as definition
    from pg_index where indrelid = 'sessions'::regclass and not indisunique`
  for (const { name } of indexes) await sql`drop index ${sql(name)}`
  return indexes.map(({ definition }) => definition)
}
