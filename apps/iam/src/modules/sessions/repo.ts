import { type Database, runStatement, type Statements, type TenantTx } from '@signet/db'
import type { Actor, Grant, PersonKind, SessionId, TenantId, UserId } from '@signet/kernel'
import type { RequestFacts } from '../../deps.ts'

export interface ActorRow {
  readonly roles: string[]
  readonly permissions: string[]
  readonly kind: PersonKind
  readonly grantable: string[]
  readonly isPlatformStaff: boolean
  readonly mustChange: boolean
  readonly homeTenantId: TenantId
  /** Who acts for the person; null for the person themself. */
  readonly actorId: UserId | null
}

/** What a token says of whose session it is. */
export interface SessionClaims {
  readonly userId: UserId
  readonly tenantId: TenantId
  readonly sessionId: SessionId
}

/** Undefined where the session, the person, the membership or the tenant is over. */
export async function loadActor(database: Database, claims: SessionClaims): Promise<ActorRow | undefined> {
  const [row] = await runStatement(database, sql => selectActor(sql, claims))
  return row
}

/** As `loadActor`, in the transaction of the work itself. */
export async function loadActorIn({ sql }: TenantTx, claims: SessionClaims): Promise<ActorRow | undefined> {
  const [row] = await selectActor(sql, claims)
  return row
}

function selectActor(sql: Statements, { userId, tenantId, sessionId }: SessionClaims) {
  return sql<ActorRow[]>`
    select roles, kind, permissions, grantable, is_platform_staff as "isPlatformStaff", must_change as "mustChange", act_sub as "actorId",
      home_tenant(${userId}) as "homeTenantId"
    from load_actor(${userId}, ${tenantId}, ${sessionId})`
}

/** One live session: a device on which somebody is signed in. */
export interface OwnSession {
  readonly id: SessionId
  readonly userId: UserId
  readonly tenantId: TenantId
  readonly tenantSlug: string
  readonly tenantName: string
  readonly amr: string[]
  readonly ip: string | null
  readonly userAgent: string | null
  readonly authenticatedAt: Date
  readonly lastUsedAt: Date
  readonly expiresAt: Date
  readonly actorId: UserId | null
}

/** The live sessions of a person in every tenant, the newest first. */
export async function listSessions(
  database: Database,
  userId: UserId,
  { before, limit }: { readonly before: SessionId | null; readonly limit: number },
): Promise<OwnSession[]> {
  return runStatement(
    database,
    sql => sql<OwnSession[]>`
      select id, ${userId}::uuid as "userId", tenant_id as "tenantId", tenant_slug as "tenantSlug", tenant_name as "tenantName", amr, ip,
        user_agent as "userAgent", authenticated_at as "authenticatedAt", last_used_at as "lastUsedAt", expires_at as "expiresAt",
        act_sub as "actorId"
      from sessions_of(${userId}) where ${before}::uuid is null or id < ${before} order by id desc limit ${limit}`,
  )
}

/** Undefined where the person has no such live session. */
export async function findSession(
  database: Database,
  userId: UserId,
  id: SessionId,
): Promise<Pick<OwnSession, 'id' | 'userId'> | undefined> {
  const [row] = await runStatement(
    database,
    sql => sql<Pick<OwnSession, 'id' | 'userId'>[]>`
      select id, ${userId}::uuid as "userId" from sessions_of(${userId}) where id = ${id}`,
  )
  return row
}

export async function endSession(
  database: Database,
  grant: Grant<'sessions:delete', Pick<OwnSession, 'id' | 'userId'>, Pick<Actor, 'userId'>>,
  request: RequestFacts,
): Promise<void> {
  const { id } = grant.resource
  await runStatement(
    database,
    sql => sql`select end_session(${id}, 'ended-by-owner', ${request.ip}, ${request.id}, ${request.userAgent})`,
  )
}
