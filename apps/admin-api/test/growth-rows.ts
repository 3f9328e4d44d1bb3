/** Rows of an installation that has grown, in every table that grows: one large company among many small ones. */
import { type AdminSql, withAdminClient } from '@signet/db'
import type { SessionId, TenantId, UserId } from '@signet/kernel'

const smallTenants = 1_000
const peopleOfLarge = 4_000
const peopleOfSmall = 6

export interface GrownRows {
  readonly tenantId: TenantId
  personId(number: number): UserId
  sessionId(number: number): SessionId
}

/** Ids that SQL and this program work out alike. */
async function idOf(sql: AdminSql, text: string): Promise<string> {
  const [row] = await sql<[{ id: string }]>`select md5(${text})::uuid as id`
  return row.id
}

/** Foreign keys and triggers sleep meanwhile: the rows are made complete here. */
export async function growRows(superUrl: string): Promise<GrownRows> {
  return withAdminClient(superUrl, async sql => {
    await sql`set session_replication_role = replica`
    await sql.unsafe(rows)
    await sql`set session_replication_role = origin`
    await sql`vacuum analyze`
    const ids = new Map<string, string>()
    for (let number = 1; number <= 40; number += 1)
      for (const what of ['person', 'session']) ids.set(`${what} ${number}`, await idOf(sql, `${what} ${number}`))
    return {
      tenantId: (await idOf(sql, 'tenant 0')) as TenantId,
      personId: number => ids.get(`person ${number}`) as UserId,
      sessionId: number => ids.get(`session ${number}`) as SessionId,
    }
  })
}

const people = peopleOfLarge + smallTenants * peopleOfSmall
const rows = `
  insert into tenants (id, slug, name) select md5('tenant ' || n)::uuid, 'tenant-' || n, 'Tenant ' || n from generate_series(0, ${smallTenants}) n;
  insert into tenants (id, slug, name, is_platform) values (md5('platform')::uuid, 'platform', 'Platform', true);
  insert into policies (tenant_id, id, name, source) select id, md5('policy ' || id)::uuid, 'one', 'permit (principal, action, resource);' from tenants;
  insert into policy_statements (tenant_id, policy_id, number, line, effect, is_template, is_conditional, is_personal)
  select id, md5('policy ' || id)::uuid, 1, 1, 'permit', true, false, false from tenants;
  insert into policy_attachments (tenant_id, policy_id, user_id) select id, md5('policy ' || id)::uuid, md5('nobody')::uuid from tenants;
  insert into bundle_versions (tenant_id, version) select id, 1 from tenants;
  insert into roles (tenant_id, id, name) select id, md5('role ' || id)::uuid, 'listed' from tenants where slug like 'tenant-%';

  create table people as
  select n, md5('person ' || n)::uuid as id,
    md5('tenant ' || case when n <= ${peopleOfLarge} then 0 else n % ${smallTenants} + 1 end)::uuid as tenant_id
  from generate_series(1, ${people}) n;
  insert into users (tenant_id, id, email, phone, username, name, first_name, last_name, created_at, email_verified_at)
  select tenant_id, id, 'person-' || n || '@example.com', '+4915' || lpad(n::text, 8, '0'), 'person-' || n, 'Name ' || n % 997, 'First', 'Last',
    now() - n * interval '1 minute', now() from people;
  insert into password_credentials (tenant_id, user_id, hash) select tenant_id, id, 'hash' from people;
  insert into memberships (tenant_id, id, user_id, created_at)
  select tenant_id, md5('membership ' || n)::uuid, id, now() - n * interval '1 minute' from people;
  insert into membership_roles (tenant_id, membership_id, role_id)
  select tenant_id, md5('membership ' || n)::uuid, md5('role ' || tenant_id)::uuid from people;
  insert into known_devices (tenant_id, user_id, fingerprint, last_used_at)
  select tenant_id, id, decode(md5('device ' || n), 'hex'), now() - n * interval '1 hour' from people;
  insert into account_counters (tenant_id, subject, kind, window_started_at)
  select tenant_id, id, kind, now() - n * interval '10 minutes' from people, unnest(array['password', 'sign-in.account.day']) kind;
  insert into otp_challenges (tenant_id, id, purpose, subject, user_id, channel, destination, code_hash, max_attempts, expires_at)
  select tenant_id, md5('code ' || n)::uuid, 'sign-in', id, id, 'email', 'person-' || n || '@example.com', decode(md5('code ' || n), 'hex'), 5,
    now() + interval '10 minutes' - n * interval '1 minute' from people;
  insert into client_tokens (tenant_id, id, kind, advisor_id, user_id, token_hash, expires_at)
  select tenant_id, md5('token ' || n)::uuid, 'access', id, id, decode(md5('token ' || n), 'hex'), now() - n * interval '1 hour' from people;
  insert into idempotency_keys (tenant_id, user_id, key, fingerprint, created_at)
  select tenant_id, id, 'key', '', now() - n * interval '1 minute' from people;
  insert into sessions (tenant_id, id, user_id, amr, status_list, status_index, authenticated_at, expires_at, ended_at, end_reason)
  select tenant_id, md5('session ' || n)::uuid, id, '{pwd}', n / 500 + 1, n % 500, now() - n * interval '6 minutes',
    now() + interval '30 days' - n * interval '6 minutes',
    case when n % 20 = 0 then now() - n * interval '5 minutes' end, case when n % 20 = 0 then 'signed-out' end from people;
  select setval('status_index_draws', 65536 * 40, false);
  insert into refresh_tokens (tenant_id, session_id, leaf_hash, expires_at)
  select tenant_id, md5('session ' || n)::uuid, decode(md5('leaf ' || n), 'hex'), now() + interval '5 days' from people;
  insert into outbound_messages (tenant_id, id, channel, recipient, template, status, due_at, created_at)
  select tenant_id, md5('message ' || n)::uuid, 'email', 'a@example.com', 'sign-in-code',
    case when n % 100 = 0 then 'queued' when n % 101 = 0 then 'dead' else 'sent' end, now() - n * interval '1 second', now() from people;
  insert into audit_events (tenant_id, id, at, action, actor_id, session_id, target_type, target_id)
  select tenant_id, (left(first_id_of(at)::text, 24) || lpad(n::text, 12, '0'))::uuid, at,
    case when n % 1000 = 7 then 'token.reused' when n % 10 = 0 then 'session.opened' else 'token.refreshed' end,
    id, md5('session ' || n)::uuid, 'session', md5('session ' || n)::uuid
  from people, lateral (select now() - n * interval '5 minutes' as at) t;
  drop table people;
`
