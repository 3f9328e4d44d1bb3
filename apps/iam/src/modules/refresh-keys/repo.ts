/** The hash of a person's refresh key stands in their home tenant, one a person. */
import { type Database, runStatement, type TenantTx } from '@signet/db'
import type { SessionId, TenantId, UserId } from '@signet/kernel'
import type { RequestFacts, TokenSettings } from '../../deps.ts'
import type { SessionRow } from '../tokens/index.ts'

export interface NewKey {
  readonly hash: string
  /** Worth something only beside a token that we signed. */
  readonly isShort: boolean
}

/** Whoever changes the password or the standing of the person waits for this, or is waited for. */
export async function lockPerson({ sql, tenantId }: TenantTx, userId: UserId): Promise<void> {
  await sql`select from users where tenant_id = ${tenantId} and id = ${userId} for update`
}

/** Is the session alive, as this transaction sees it? */
export async function isSessionAlive(
  { sql }: TenantTx,
  { userId, tenantId, sessionId }: { userId: UserId; tenantId: TenantId; sessionId: SessionId },
): Promise<boolean> {
  const rows = await sql`select from load_actor(${userId}, ${tenantId}, ${sessionId})`
  return rows.length > 0
}

/** Takes the place of the former one. */
export async function putKey({ sql, tenantId }: TenantTx, userId: UserId, { hash, isShort }: NewKey): Promise<void> {
  await sql`
    insert into refresh_keys (tenant_id, user_id, hash, is_short) values (${tenantId}, ${userId}, ${hash}, ${isShort})
    on conflict (tenant_id, user_id) do update set hash = ${hash}, is_short = ${isShort}, created_at = now()`
}

/** @returns false where there is one already */
export async function insertKey(
  { sql, tenantId }: TenantTx,
  userId: UserId,
  { hash, isShort }: NewKey,
): Promise<boolean> {
  const { count } = await sql`
    insert into refresh_keys (tenant_id, user_id, hash, is_short) values (${tenantId}, ${userId}, ${hash}, ${isShort})
    on conflict do nothing`
  return count > 0
}

/** @returns false where `checkedHash` is the key no longer: of two who know the old one, the second is too late */
export async function replaceKey(
  { sql, tenantId }: TenantTx,
  userId: UserId,
  checkedHash: string,
  { hash, isShort }: NewKey,
): Promise<boolean> {
  const { count } = await sql`
    update refresh_keys set hash = ${hash}, is_short = ${isShort}, created_at = now()
    where tenant_id = ${tenantId} and user_id = ${userId} and hash = ${checkedHash}`
  return count > 0
}

/** @returns false where there was none */
export async function removeKey({ sql, tenantId }: TenantTx, userId: UserId): Promise<boolean> {
  const { count } = await sql`delete from refresh_keys where tenant_id = ${tenantId} and user_id = ${userId}`
  return count > 0
}

/** The session of a token that we signed, which may have expired. */
export interface TokenSession {
  readonly sessionId: SessionId
  readonly userId: UserId
  readonly tenantId: TenantId
}

export interface Guess {
  readonly homeTenantId: TenantId
  /** Null where the person has no key. */
  readonly hash: string | null
  /** The how manieth guess in a row this is; null or above the limit where none is left. */
  readonly turn: number | null
}

/** Takes one guess at the key. Undefined where the session is over. */
export async function beginRenewal(
  database: Database,
  { sessionId, userId, tenantId }: TokenSession,
): Promise<Guess | undefined> {
  const [row] = await runStatement(
    database,
    sql => sql<Guess[]>`
      select home_tenant_id as "homeTenantId", hash, turn from begin_renewal(${sessionId}, ${userId}, ${tenantId})`,
  )
  return row
}

/** Undefined where what was checked holds no longer. */
export async function renewSession(
  database: Database,
  { refreshTokenTtlSeconds }: TokenSettings,
  { sessionId, userId, tenantId }: TokenSession,
  checkedHash: string,
  request: RequestFacts,
): Promise<SessionRow | undefined> {
  const [row] = await runStatement(
    database,
    sql => sql<SessionRow[]>`
      select roles, permissions, kind, amr, authenticated_at as "authenticatedAt",
        extract(epoch from refresh_expires_at - now())::int as "refreshExpiresIn", must_change as "mustChange", null as "actorId",
        status_list::int as "statusList", status_index as "statusIndex"
      from renew_session(${sessionId}, ${userId}, ${tenantId}, ${checkedHash}, make_interval(secs => ${refreshTokenTtlSeconds}),
        ${request.ip}, ${request.id}, ${request.userAgent})`,
  )
  return row
}

/** A wrong guess. With `isLast` the session is over. */
export async function recordWrongKey(
  database: Database,
  { sessionId, userId, tenantId }: TokenSession,
  { isLast }: { readonly isLast: boolean },
  request: RequestFacts,
): Promise<void> {
  await runStatement(
    database,
    sql => sql`
      select record_event(${tenantId}, 'refresh-key.refused', ${userId}, ${sessionId}, 'user', ${userId}, null, ${request.ip},
          ${request.id}, ${request.userAgent}),
        case when ${isLast} then
          end_session(${sessionId}, 'refresh-key-refused', ${request.ip}, ${request.id}, ${request.userAgent}) end`,
  )
}

/** Whoever was right begins with no wrong guess behind them. */
export async function forgetGuesses({ sql, tenantId }: TenantTx, sessionId: SessionId): Promise<void> {
  await sql`
    delete from account_counters where tenant_id = ${tenantId} and subject = ${sessionId} and kind = 'session-key'`
}
