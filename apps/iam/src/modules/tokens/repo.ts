/** Each call is ONE statement: a SQL function that guards, writes, audits and returns. */
import { type Database, runStatement } from '@signet/db'
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
  readonly fingerprint: Uint8Array
  /** An event for another service, written with the session. */
  readonly event: (SealedMessage & { readonly recipient: string }) | undefined
}

/** Undefined where the person, the membership, the tenant or the secret is not what was checked any more. */
export async function openSession(
  database: Database,
  { refreshTokenTtlSeconds }: TokenSettings,
  { token, userId, tenantId, way, method, checkedHash, fingerprint, event }: NewSession,
  request: RequestFacts,
): Promise<SessionRow | undefined> {
  const [row] = await runStatement(
    database,
    sql => sql<SessionRow[]>`
      select roles, permissions, kind, array[${method}::text] as amr, authenticated_at as "authenticatedAt",
        extract(epoch from refresh_expires_at - now())::int as "refreshExpiresIn", must_change as "mustChange", null as "actorId",
        status_list::int as "statusList", status_index as "statusIndex"
      from open_session(${token.sessionId}, ${userId}, ${tenantId}, ${checkedHash}, ${token.hash}, array[${method}::text],
        make_interval(secs => ${refreshTokenTtlSeconds}), ${sessionLife}::interval, 'session.opened', ${request.ip},
        ${request.userAgent}, ${request.id}, ${way}, ${fingerprint}, null, ${event?.id ?? null}, ${event?.recipient ?? null},
        ${event?.payload ?? null})`,
  )
  return row
}

export type RefreshOutcome = 'rotated' | 'repeated' | 'reused' | 'ended'
export interface RefreshRow extends SessionRow {
  readonly outcome: RefreshOutcome
  readonly tenantId: TenantId
  readonly userId: UserId
}

/** Undefined where there is no such session. */
export async function refreshSession(
  database: Database,
  { refreshTokenTtlSeconds }: TokenSettings,
  presented: RefreshToken,
  successor: RefreshToken,
  request: RequestFacts,
): Promise<RefreshRow | undefined> {
  const [row] = await runStatement(
    database,
    sql => sql<RefreshRow[]>`
      select outcome, tenant_id as "tenantId", user_id as "userId", roles, permissions, kind, amr, authenticated_at as "authenticatedAt",
        extract(epoch from refresh_expires_at - now())::int as "refreshExpiresIn", must_change as "mustChange", act_sub as "actorId",
        status_list::int as "statusList", status_index as "statusIndex"
      from refresh_session(${presented.sessionId}, ${presented.hash}, ${successor.hash}, ${grace}::interval,
        make_interval(secs => ${refreshTokenTtlSeconds}), ${request.ip}, ${request.id}, ${request.userAgent})`,
  )
  return row
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
