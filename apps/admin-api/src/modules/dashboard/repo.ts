import { brands, memberships, type TenantTx } from '@signet/db'
import type { Actor, AuditEventId, UserId } from '@signet/kernel'
import { and, eq } from 'drizzle-orm'

/** What an advisor's own rows are found by. */
type Advisor = Pick<Actor, 'userId'>

export interface ClientRow {
  readonly user_id: UserId
  readonly email: string | null
  readonly username: string | null
  readonly name: string | null
  readonly first_name: string | null
  readonly last_name: string | null
  readonly status: 'active' | 'suspended'
  readonly last_sign_in_at: Date | null
  readonly assigned_at: Date
}

export interface ActivityRow {
  readonly id: AuditEventId
  readonly at: Date
  readonly action: string
  readonly actor_id: UserId | null
  readonly target_type: string | null
  readonly target_id: string | null
}

export interface Counts {
  readonly clients: number
  readonly active: number
  readonly suspended: number
  readonly invited: number
  readonly open_client_tokens: number
}

const shownClients = 50
const shownEvents = 20

/** The address under which other services know the advisor, who may be a guest. */
export async function findEmail({ sql }: TenantTx, { userId }: Advisor): Promise<string | null> {
  const [profile] = await sql<{ email: string | null }[]>`select email from guest_profiles(array[${userId}]::uuid[])`
  return profile?.email ?? null
}

export async function findOwnBrand({ db, tenantId }: TenantTx, { userId }: Advisor) {
  const { id, name, logoUrl, primaryColor } = brands
  const [brand] = await db
    .select({ id, name, logo_url: logoUrl, primary_color: primaryColor })
    .from(memberships)
    .innerJoin(brands, and(eq(brands.tenantId, memberships.tenantId), eq(brands.id, memberships.brandId)))
    .where(and(eq(memberships.tenantId, tenantId), eq(memberships.userId, userId)))
  return brand ?? null
}

export async function countClients({ sql, tenantId }: TenantTx, { userId }: Advisor): Promise<Counts> {
  const [counts] = await sql<[Counts]>`
    select p.clients, p.active, p.suspended, t.invited, t.open_client_tokens
    from (
      select count(*)::int as clients, (count(*) filter (where status = 'active'))::int as active,
        (count(*) filter (where status = 'suspended'))::int as suspended
      from people_advised_by(${userId})
    ) p, (
      select (count(*) filter (where kind = 'invitation'))::int as invited,
        (count(*) filter (where kind = 'access'))::int as open_client_tokens
      from client_tokens
      where tenant_id = ${tenantId} and advisor_id = ${userId}
        and redeemed_at is null and withdrawn_at is null and expires_at > now()
    ) t`
  return counts
}

/** Those who were assigned last. A session that somebody else opened for a client is no sign-in of theirs. */
export async function listClients({ sql, tenantId }: TenantTx, { userId }: Advisor): Promise<ClientRow[]> {
  return sql<ClientRow[]>`
    select p.*, greatest(m.last_sign_in_at, s.last_sign_in_at) as last_sign_in_at
    from (
      select * from people_advised_by(${userId}) order by assigned_at desc, user_id limit ${shownClients}
    ) p
    left join memberships m on m.tenant_id = ${tenantId} and m.user_id = p.user_id
    left join lateral (
      select max(authenticated_at) as last_sign_in_at from sessions
      where tenant_id = ${tenantId} and user_id = p.user_id and act_sub is null
    ) s on true
    order by p.assigned_at desc, p.user_id`
}

/** Without address, device, and what was before and after: that may be more of others than an advisor is to know. */
export async function listActivity({ sql, tenantId }: TenantTx, { userId }: Advisor): Promise<ActivityRow[]> {
  return sql<ActivityRow[]>`
    with known as materialized (
      select ${userId}::uuid as id union select user_id from people_advised_by(${userId})
    )
    select id, at, action, actor_id, target_type, target_id
    from audit_events
    where tenant_id = ${tenantId} and at > now() - interval '30 days' and id > first_id_of(now() - interval '31 days')
      and (actor_id in (select id from known) or (target_type = 'user' and target_id in (select id::text from known)))
    order by id desc
    limit ${shownEvents}`
}
