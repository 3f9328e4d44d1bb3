/** Each call is ONE statement at most: a SQL function that guards, writes, audits and returns. */
import { type Database, gatherCalls, runStatement, type Statements } from '@signet/db'
import type { SealedMessage } from '@signet/delivery'
import type { Actor, SessionId, TenantId, UserId } from '@signet/kernel'
import type { RequestFacts, TokenSettings } from '../../deps.ts'
import type { RefreshToken } from '../../refresh-token.ts'

/** A row of a session function. `refreshExpiresIn` counts in whole seconds on the database's clock. */
export interface SessionRow {
  readonly roles: string[]
  /** Null where a condition decides about any of them. */
  readonly permissions: string[] | null
  readonly kind: string
  readonly amr: string[]
  /** The session's bit: which list, and which index there. */
  readonly statusList: number
  readonly statusIndex: number
  readonly authenticatedAt: Date
  readonly refreshExpiresIn: number
  readonly mustChange: boolean
  /** Who acts for the person; null for the person themself. */
  readonly actorId: UserId | null
}

/** A session is over so long after its sign-in, however often it was refreshed. */
export const sessionLife = '30 days'
/** Within it a repeated refresh gets the same answer: the first may have been lost on the way. */
const grace = '10 seconds'
/** What a repeat may have waited for its answer: the grace does not run meanwhile. A clock that is wrong gains no more than this. */
const longestWait = '10 minutes'

/** How somebody got in. */
export type WayIn = 'password' | 'refresh-key' | 'code'
export type Method = 'pwd' | 'otp' | 'sms' | 'adv'

export interface NewSession {
  readonly token: RefreshToken
  readonly userId: UserId
  readonly tenantId: TenantId
  readonly way: WayIn
  readonly method: Method
  /** The hash that a secret was checked against: where it is another by now, nothing is opened. */
  readonly checkedHash: string | null
  /** The device, which is known from now on. */
  readonly fingerprint: Buffer
  /** An event for another service, written with the session. */
  readonly event: (SealedMessage & { readonly recipient: string }) | undefined
}

interface SessionCall {
  readonly session: NewSession
  readonly idleSeconds: number
  readonly request: RequestFacts
}

/** People are locked in the order of their ids, so that no two statements wait for each other (decision 0016). */
const openTogether = gatherCalls<SessionCall, SessionRow>((sql, calls) => {
  const sorted = [...calls.entries()].toSorted(([, a], [, b]) => (a.session.userId < b.session.userId ? -1 : 1))
  const list = <T>(of: (call: SessionCall) => T) => sorted.map(([, call]) => of(call))
  return sql`
    select c.place, r.roles, r.permissions, r.kind, array[c.method] as amr, r.authenticated_at as "authenticatedAt",
      extract(epoch from r.refresh_expires_at - now())::int as "refreshExpiresIn", r.must_change as "mustChange", null as "actorId",
      r.status_list::int as "statusList", r.status_index as "statusIndex"
    from unnest(${sorted.map(([place]) => place)}::int[], ${list(call => call.session.token.sessionId)}::uuid[],
        ${list(call => call.session.userId)}::uuid[], ${list(call => call.session.tenantId)}::uuid[],
        ${list(call => call.session.checkedHash)}::text[], ${list(call => call.session.token.hash.toString('hex'))}::text[],
        ${list(call => call.session.method)}::text[], ${list(call => call.idleSeconds)}::int[],
        ${list(call => call.request.ip)}::text[], ${list(call => call.request.userAgent)}::text[],
        ${list(call => call.request.id)}::uuid[], ${list(call => call.session.way)}::text[],
        ${list(call => call.session.fingerprint.toString('hex'))}::text[], ${list(call => call.session.event?.id ?? null)}::uuid[],
        ${list(call => call.session.event?.recipient ?? null)}::text[],
        ${list(call => call.session.event?.payload.toString('hex') ?? null)}::text[])
      as c (place, session_id, user_id, tenant_id, checked_hash, leaf, method, idle_seconds, ip, user_agent, request_id, way,
        fingerprint, event_id, event_recipient, event_payload)
    cross join lateral open_session(c.session_id, c.user_id, c.tenant_id, c.checked_hash, decode(c.leaf, 'hex'), array[c.method],
      make_interval(secs => c.idle_seconds), ${sessionLife}::interval, 'session.opened', c.ip, c.user_agent, c.request_id, c.way,
      decode(c.fingerprint, 'hex'), null, c.event_id, c.event_recipient, decode(c.event_payload, 'hex')) r`
})

/** Undefined where the person, the membership, the tenant or the secret is not what was checked any more. */
export function openSession(
  database: Database,
  { refreshTokenTtlSeconds: idleSeconds }: TokenSettings,
  session: NewSession,
  request: RequestFacts,
): Promise<SessionRow | undefined> {
  return openTogether(database, { session, idleSeconds, request })
}

export type RefreshOutcome = 'rotated' | 'repeated' | 'reused' | 'ended'
export interface RefreshRow extends SessionRow {
  readonly outcome: RefreshOutcome
  readonly tenantId: TenantId
  readonly userId: UserId
}

export interface Refresh {
  readonly presented: RefreshToken
  /** When it was first presented without an answer since, in milliseconds since 1970: the grace is looked at as of then. */
  readonly presentedAt: number
  readonly successor: RefreshToken
  readonly request: RequestFacts
}

interface RefreshCall extends Refresh {
  readonly idleSeconds: number
}

/** The columns of a `RefreshRow` that both functions give. */
const refreshed = (sql: Statements) => sql`
  r.tenant_id as "tenantId", r.user_id as "userId", r.roles, r.permissions, r.kind, r.amr, r.authenticated_at as "authenticatedAt",
  extract(epoch from r.refresh_expires_at - now())::int as "refreshExpiresIn", r.must_change as "mustChange", r.act_sub as "actorId",
  r.status_list::int as "statusList", r.status_index as "statusIndex"`

/** Spends what may be spent, and has no row for the rest. */
const rotateTogether = gatherCalls<RefreshCall, RefreshRow>((sql, calls) => {
  const list = <T>(of: (call: RefreshCall) => T) => calls.map(of)
  return sql`
    select r.place::int - 1 as place, 'rotated' as outcome, ${refreshed(sql)}
    from refresh_sessions(${list(call => call.presented.sessionId)}::uuid[],
      ${list(call => bytea(call.presented.hash))}::text[]::bytea[], ${list(call => bytea(call.successor.hash))}::text[]::bytea[],
      ${list(call => `${call.idleSeconds} s`)}::text[]::interval[], ${list(call => call.request.ip)}::text[],
      ${list(call => call.request.id)}::uuid[], ${list(call => call.request.userAgent)}::text[]) r`
})

/** Tells why one was not spent. Rows are locked in the order of the sessions' ids, so that no two statements wait for each other. */
const settleTogether = gatherCalls<RefreshCall, RefreshRow>((sql, calls) => {
  const sorted = [...calls.entries()].toSorted(([, a], [, b]) =>
    a.presented.sessionId < b.presented.sessionId ? -1 : 1,
  )
  const list = <T>(of: (call: RefreshCall) => T) => sorted.map(([, call]) => of(call))
  return sql`
    select c.place, r.outcome, ${refreshed(sql)}
    from unnest(${sorted.map(([place]) => place)}::int[], ${list(call => call.presented.sessionId)}::uuid[],
        ${list(call => bytea(call.presented.hash))}::text[]::bytea[], ${list(call => bytea(call.successor.hash))}::text[]::bytea[],
        ${list(call => call.idleSeconds)}::int[], ${list(call => call.request.ip)}::text[],
        ${list(call => call.request.id)}::uuid[], ${list(call => call.request.userAgent)}::text[],
        ${list(call => call.presentedAt)}::float8[])
      as c (place, session_id, presented, successor, idle_seconds, ip, request_id, user_agent, presented_at)
    cross join lateral refresh_session(c.session_id, c.presented, c.successor,
      ${grace}::interval + least(greatest(clock_timestamp() - to_timestamp(c.presented_at / 1000), '0'), ${longestWait}::interval),
      make_interval(secs => c.idle_seconds), c.ip, c.request_id, c.user_agent) r`
})

/** As PostgreSQL reads it, in lists as well, for which the driver has no form. */
function bytea(bytes: Buffer): string {
  return `\\x${bytes.toString('hex')}`
}

/** Undefined where there is no such session. */
export async function refreshSession(
  database: Database,
  { refreshTokenTtlSeconds: idleSeconds }: TokenSettings,
  refresh: Refresh,
): Promise<RefreshRow | undefined> {
  const call = { ...refresh, idleSeconds }
  return (await rotateTogether(database, call)) ?? settleTogether(database, call)
}

export async function endSession(database: Database, sessionId: SessionId, request: RequestFacts): Promise<void> {
  await runStatement(
    database,
    sql => sql`select end_session(${sessionId}, 'signed-out', ${request.ip}, ${request.id}, ${request.userAgent})`,
  )
}

export interface EntryRow extends SessionRow {
  readonly outcome: 'entered' | 'refused' | 'ended'
}

/** Opens a session in another tenant out of the actor's; the function decides whether they may. */
export async function enterTenant(
  database: Database,
  { refreshTokenTtlSeconds }: TokenSettings,
  actor: Pick<Actor, 'userId' | 'sessionId'>,
  tenantId: TenantId,
  token: RefreshToken,
  request: RequestFacts,
): Promise<EntryRow> {
  const [row] = await runStatement(
    database,
    sql => sql<[EntryRow]>`
      select outcome, roles, permissions, kind, amr, authenticated_at as "authenticatedAt",
        extract(epoch from refresh_expires_at - now())::int as "refreshExpiresIn", must_change as "mustChange", null as "actorId",
        status_list::int as "statusList", status_index as "statusIndex"
      from enter_tenant(${token.sessionId}, ${actor.sessionId}, ${actor.userId}, ${tenantId}, ${token.hash},
        make_interval(secs => ${refreshTokenTtlSeconds}), ${request.ip}, ${request.userAgent}, ${request.id})`,
  )
  return row
}

/**
 * The ceiling of a sub-client, as decisions see it; null for one of the staff, who are bound by none. Undefined where the
 * sub-client may do nothing in the tenant now.
 */
export async function findCeiling(
  database: Database,
  tenantId: TenantId,
  userId: UserId,
): Promise<{ readonly id: UserId; readonly roles: string[] } | null | undefined> {
  const [row] = await runStatement(
    database,
    sql => sql<{ id: UserId | null; roles: string[] }[]>`
      select client_id as id, client_roles as roles from find_subjects(${tenantId}, array[${userId}]::uuid[])`,
  )
  if (row === undefined) return undefined
  const { id, roles } = row
  return id === null ? null : { id, roles }
}
