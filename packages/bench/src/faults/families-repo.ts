/** What the database knows of sessions and people that clients believe in. */

import type { Database } from '@signet/db'
import type { Family } from './issuer-client.ts'

export interface FamilyState {
  readonly family: Family
  /** Rotations that were committed. */
  readonly generation: number
  readonly isEnded: boolean
}

/** @throws Error when a family is not there at all */
export async function readFamilies(db: Database, families: readonly Family[]): Promise<FamilyState[]> {
  const rows = await db.sql<{ id: string; generation: number; isEnded: boolean }[]>`
    select s.id, r.generation, s.ended_at is not null as "isEnded"
    from sessions s join refresh_tokens r on r.tenant_id = s.tenant_id and r.session_id = s.id
    where s.id = any(${families.map(family => family.sessionId)}::uuid[])`
  return families.map(family => {
    const row = rows.find(({ id }) => id === family.sessionId)
    if (row === undefined) throw new Error(`Session ${family.sessionId} was acknowledged and is not there.`)
    return { family, generation: row.generation, isEnded: row.isEnded }
  })
}

/** Sessions out of `ids` that are not whole: without themselves, a refresh token or their audit event. */
export async function findMissingSessions(db: Database, ids: readonly string[]): Promise<string[]> {
  const rows = await db.sql<{ id: string }[]>`
    select given.id::text from unnest(${ids}::uuid[]) as given (id)
    where not exists (
      select from sessions s
      join refresh_tokens r on r.tenant_id = s.tenant_id and r.session_id = s.id
      join audit_events e on e.tenant_id = s.tenant_id and e.session_id = s.id and e.action = 'session.opened'
      where s.id = given.id)`
  return rows.map(({ id }) => id)
}

/** Addresses out of `emails` that belong to nobody. */
export async function findMissingPeople(db: Database, emails: readonly string[]): Promise<string[]> {
  const rows = await db.sql<{ email: string }[]>`
    select given.email from unnest(${emails}::text[]) as given (email)
    where not exists (select from users u where u.email = given.email)`
  return rows.map(({ email }) => email)
}

/** People of this run who lack something of what registration writes with them. */
export async function findHalfPeople(db: Database): Promise<string[]> {
  const rows = await db.sql<{ email: string }[]>`
    select u.email from users u
    left join password_credentials c on c.tenant_id = u.tenant_id and c.user_id = u.id
    left join memberships m on m.tenant_id = u.tenant_id and m.user_id = u.id
    left join membership_roles r on r.tenant_id = m.tenant_id and r.membership_id = m.id
    left join audit_events e on e.tenant_id = u.tenant_id and e.target_id = u.id::text and e.action = 'user.registered'
    where u.email like '%@bench.invalid' and u.email <> 'administrator@bench.invalid'
      and (c.hash is null or m.id is null or r.role_id is null or e.id is null)`
  return rows.map(({ email }) => email)
}

export async function findReusedSessions(db: Database): Promise<string[]> {
  const rows = await db.sql<{ id: string }[]>`select id from sessions where end_reason = 'refresh-token-reused'`
  return rows.map(({ id }) => id)
}

/** Ends every other connection to this database, and says how many there were and how many of them were at work. */
export async function endConnections(db: Database): Promise<{ ended: number; atWork: number }> {
  const rows = await db.sql<{ isAtWork: boolean }[]>`
    select state is distinct from 'idle' as "isAtWork", pg_terminate_backend(pid)
    from pg_stat_activity
    where datname = current_database() and pid <> pg_backend_pid() and backend_type = 'client backend'`
  return { ended: rows.length, atWork: rows.filter(({ isAtWork }) => isAtWork).length }
}
