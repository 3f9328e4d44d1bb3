import { type Database, runStatement, type TenantTx } from '@signet/db'
import type { SealedMessage } from '@signet/delivery'
import { type Actor, type ClientTokenId, type Grant, newId, type TenantId, type UserId } from '@signet/kernel'
import type { RequestFacts, TokenSettings } from '../../deps.ts'
import type { RefreshToken } from '../../refresh-token.ts'
import { type SessionRow, sessionLife } from '../tokens/index.ts'

/** A person as an advisor of the same tenant finds them. */
export interface Advised extends Profile {
  readonly isAssigned: boolean
  /** Does the advisor hold all that the person holds? Never for platform staff. */
  readonly isWithinReach: boolean
}

export interface Profile {
  readonly userId: UserId
  readonly email: string | null
  readonly username: string | null
  readonly name: string | null
  readonly firstName: string | null
  readonly lastName: string | null
}

export interface ClientToken {
  readonly id: ClientTokenId
  readonly kind: 'access' | 'invitation'
  readonly advisorId: UserId
  readonly status: 'live' | 'redeemed' | 'withdrawn' | 'expired'
  readonly userId: UserId | null
  readonly invitedEmail: string | null
  readonly invitedName: string | null
  readonly purpose: string | null
  readonly createdAt: Date
  readonly expiresAt: Date
  readonly redeemedAt: Date | null
  readonly withdrawnAt: Date | null
}

/** A row that was made; its time on the database's clock. */
export interface CreatedRow {
  readonly id: ClientTokenId
  readonly expiresAt: Date
}

type Advisor = Pick<Actor, 'userId' | 'roles'>
export type InvitationGrant = Grant<'invitations:create', null, Advisor>

/** Undefined where there is no such member of the tenant. */
export async function findAdvised(
  { sql, tenantId }: TenantTx,
  advisorId: UserId,
  userId: UserId,
): Promise<Advised | undefined> {
  const [row] = await sql<Advised[]>`
    select g.id as "userId", g.email, g.username, g.name, g.first_name as "firstName", g.last_name as "lastName",
      exists (select from advisor_clients c
        where c.tenant_id = ${tenantId} and c.advisor_id = ${advisorId} and c.user_id = g.id) as "isAssigned",
      not a.is_platform_staff and may_act_for(${tenantId}, ${advisorId}, a.reach) as "isWithinReach"
    from guest_profiles(array[${userId}::uuid]) g cross join lateral member_access(${tenantId}, g.id) a`
  return row
}

/** How a member of the tenant is called. */
export async function findProfile({ sql }: TenantTx, userId: UserId): Promise<Profile | undefined> {
  const [row] = await sql<Profile[]>`
    select id as "userId", email, username, name, first_name as "firstName", last_name as "lastName"
    from guest_profiles(array[${userId}::uuid])`
  return row
}

export async function insertAccessToken(
  { sql, tenantId }: TenantTx,
  { actor, resource }: Grant<'client-tokens:create', Advised, Advisor>,
  token: { readonly hash: Uint8Array; readonly purpose: string | null; readonly lifeSeconds: number },
): Promise<CreatedRow> {
  const [row] = await sql<[CreatedRow]>`
    insert into client_tokens (tenant_id, id, kind, advisor_id, user_id, purpose, token_hash, expires_at)
    values (${tenantId}, ${newId<ClientTokenId>()}, 'access', ${actor.userId}, ${resource.userId}, ${token.purpose}, ${token.hash},
      now() + make_interval(secs => ${token.lifeSeconds}))
    returning id, expires_at as "expiresAt"`
  return row
}

/** Takes the place of the advisor's live invitations of the same address. */
export async function insertInvitation(
  { sql, tenantId }: TenantTx,
  { actor }: InvitationGrant,
  invitation: {
    readonly hash: Uint8Array
    readonly email: string
    readonly name: string
    readonly purpose: string
    readonly lifeDays: number
  },
): Promise<CreatedRow> {
  // One after the other, or two at once would find no former one and both live.
  await sql`select pg_advisory_xact_lock(hashtextextended(${`invitation:${tenantId}:${actor.userId}:${invitation.email}`}, 0))`
  await sql`
    update client_tokens set withdrawn_at = now()
    where tenant_id = ${tenantId} and advisor_id = ${actor.userId} and kind = 'invitation' and invited_email = ${invitation.email}
      and redeemed_at is null and withdrawn_at is null`
  const [row] = await sql<[CreatedRow]>`
    insert into client_tokens (tenant_id, id, kind, advisor_id, invited_email, invited_name, purpose, token_hash, expires_at)
    values (${tenantId}, ${newId<ClientTokenId>()}, 'invitation', ${actor.userId}, ${invitation.email}, ${invitation.name},
      ${invitation.purpose}, ${invitation.hash}, now() + make_interval(days => ${invitation.lifeDays}))
    returning id, expires_at as "expiresAt"`
  return row
}

export interface Turn {
  /** One above the limit for the first refusal of the window, null for each further one. */
  readonly turn: number | null
  readonly retryAfter: number
}

/** One of the advisor's invitations of this day. */
export async function takeInvitationTurn(
  { sql, tenantId }: TenantTx,
  { actor }: InvitationGrant,
  limit: number,
): Promise<Turn> {
  const [row] = await sql<[Turn]>`
    select turn, retry_after as "retryAfter" from take_turn(${tenantId}, ${actor.userId}, 'invitation', ${limit}, '1 day')`
  return row
}

/** What an advisor has made, the newest first. */
export async function listClientTokens(
  tx: TenantTx,
  { actor }: Grant<'client-tokens:list', null, Advisor>,
  { before, limit }: { readonly before: ClientTokenId | null; readonly limit: number },
): Promise<ClientToken[]> {
  const { sql, tenantId } = tx
  return sql<ClientToken[]>`
    select ${columns(tx)} from client_tokens
    where tenant_id = ${tenantId} and advisor_id = ${actor.userId} and (${before}::uuid is null or id < ${before})
    order by id desc limit ${limit}`
}

/** Undefined where there is none in the tenant. */
export async function findClientToken(tx: TenantTx, id: ClientTokenId): Promise<ClientToken | undefined> {
  const { sql, tenantId } = tx
  const [row] = await sql<ClientToken[]>`
    select ${columns(tx)} from client_tokens where tenant_id = ${tenantId} and id = ${id}`
  return row
}

function columns({ sql }: TenantTx) {
  return sql`id, kind, advisor_id as "advisorId", user_id as "userId", invited_email as "invitedEmail",
    invited_name as "invitedName", purpose, created_at as "createdAt", expires_at as "expiresAt", redeemed_at as "redeemedAt",
    withdrawn_at as "withdrawnAt",
    case when redeemed_at is not null then 'redeemed' when withdrawn_at is not null then 'withdrawn'
      when expires_at <= now() then 'expired' else 'live' end as status`
}

/** False where it was spent, withdrawn or over before. */
export async function withdrawClientToken(
  { sql, tenantId }: TenantTx,
  grant: Grant<'client-tokens:delete', Pick<ClientToken, 'id' | 'advisorId'>, Advisor>,
): Promise<boolean> {
  const { count } = await sql`
    update client_tokens set withdrawn_at = now()
    where tenant_id = ${tenantId} and id = ${grant.resource.id} and redeemed_at is null and withdrawn_at is null and expires_at > now()`
  return count > 0
}

export interface RedeemedRow extends SessionRow {
  readonly tenantId: TenantId
  readonly userId: UserId
}

/** What another service is told of an invitation: of a person who was made, and of a sign-in. */
export interface SessionEvents {
  readonly receiver: string
  readonly created: SealedMessage
  readonly login: SealedMessage
}

/** One statement that spends the token and opens its session. Undefined where it does neither; the reason is audited. */
export async function redeemClientToken(
  database: Database,
  { refreshTokenTtlSeconds }: TokenSettings,
  hash: Uint8Array,
  token: RefreshToken,
  { fingerprint, events }: { readonly fingerprint: Uint8Array; readonly events: SessionEvents | undefined },
  request: RequestFacts,
): Promise<RedeemedRow | undefined> {
  const [row] = await runStatement(
    database,
    sql => sql<RedeemedRow[]>`
      select tenant_id as "tenantId", user_id as "userId", act_sub as "actorId", amr, roles, permissions, kind,
        authenticated_at as "authenticatedAt", extract(epoch from refresh_expires_at - now())::int as "refreshExpiresIn",
        must_change as "mustChange", status_list::int as "statusList", status_index as "statusIndex"
      from redeem_client_token(${hash}, ${token.sessionId}, ${token.hash}, make_interval(secs => ${refreshTokenTtlSeconds}),
        ${sessionLife}::interval, ${fingerprint}, ${request.ip}, ${request.userAgent}, ${request.id}, ${events?.receiver ?? null},
        ${events?.created.id ?? null}, ${events?.created.payload ?? null}, ${events?.login.id ?? null},
        ${events?.login.payload ?? null})`,
  )
  return row
}
