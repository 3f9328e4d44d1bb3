/** Many rows in one statement each. */
import { isDuplicate, type TenantTx } from '@signet/db'
import type { Grant, MembershipId, RoleId, UserId } from '@signet/kernel'
import type { TenantRef, User } from './user.ts'

export type ImportGrant = Grant<'users:create', TenantRef, unknown>

export interface UserDraft {
  readonly id: UserId
  readonly kind: User['kind']
  readonly parentId: UserId | null
  readonly email: string | null
  readonly isEmailVerified: boolean
  readonly phone: string | null
  readonly isPhoneVerified: boolean
  readonly username: string | null
  readonly name: string | null
  readonly firstName: string | null
  readonly lastName: string | null
  readonly language: User['language']
  readonly status: 'active' | 'suspended'
}

/**
 * The server keeps the plan by which it looks up a reference. One that was made while a table had a handful of rows reads all of
 * them for each reference, and an import makes thousands of rows before anything makes it think again: so it does now, and is
 * told to use the indexes.
 */
export async function planForMany({ sql }: TenantTx): Promise<void> {
  await sql`select set_config('enable_seqscan', 'off', true)`
  await sql`discard plans`
}

/**
 * Gives the ids of those who were made: whoever has an identifier that is in use was not. First as if none were: to be ready for
 * a conflict costs the server about twice as much for each row.
 */
export async function insertUsers(
  tx: TenantTx,
  grant: ImportGrant,
  drafts: readonly UserDraft[],
): Promise<ReadonlySet<UserId>> {
  await tx.sql`savepoint before_users`
  try {
    return await insertRows(tx, grant, drafts, tx.sql``)
  } catch (error) {
    if (!isDuplicate(error)) throw error
    await tx.sql`rollback to savepoint before_users`
    return insertRows(tx, grant, drafts, tx.sql`on conflict do nothing`)
  }
}

async function insertRows(
  { sql }: TenantTx,
  grant: ImportGrant,
  drafts: readonly UserDraft[],
  onConflict: ReturnType<TenantTx['sql']>,
): Promise<ReadonlySet<UserId>> {
  const rows = drafts.map(draft => ({
    id: draft.id,
    kind: draft.kind,
    parent_id: draft.parentId,
    email: draft.email,
    email_verified: draft.isEmailVerified,
    phone: draft.phone,
    phone_verified: draft.isPhoneVerified,
    username: draft.username,
    name: draft.name,
    first_name: draft.firstName,
    last_name: draft.lastName,
    language: draft.language,
    status: draft.status,
  }))
  const made = await sql<{ id: UserId }[]>`
    insert into users (tenant_id, id, kind, parent_id, email, email_verified_at, phone, phone_verified_at, username, name,
      first_name, last_name, language, status)
    select ${grant.resource.id}::uuid, r.id, r.kind, r.parent_id, r.email, case when r.email_verified then now() end, r.phone,
      case when r.phone_verified then now() end, r.username, r.name, r.first_name, r.last_name, r.language, r.status
    from json_to_recordset(${JSON.stringify(rows)}::json) as r (id uuid, kind text, parent_id uuid, email text,
      email_verified boolean, phone text, phone_verified boolean, username text, name text, first_name text, last_name text,
      language text, status text)
    ${onConflict}
    returning id`
  return new Set(made.map(({ id }) => id))
}

export interface MembershipDraft {
  readonly id: UserId
  readonly membershipId: MembershipId
  /** Beside `member`. */
  readonly roles: readonly { readonly id: RoleId }[]
}

/** The memberships at home, with the role that everybody there has, and their own. */
export async function insertHomeMemberships(
  { sql }: TenantTx,
  grant: ImportGrant,
  people: readonly MembershipDraft[],
): Promise<void> {
  const tenantId = grant.resource.id
  const memberships = people.map(({ membershipId }) => membershipId)
  await sql`
    insert into memberships (tenant_id, id, user_id)
    select ${tenantId}::uuid, m.id, m.user_id
    from unnest(${memberships}::uuid[], ${people.map(({ id }) => id)}::uuid[]) as m (id, user_id)`
  await sql`
    insert into membership_roles (tenant_id, membership_id, role_id)
    select r.tenant_id, m.id, r.id
    from roles r cross join unnest(${memberships}::uuid[]) as m (id)
    where r.tenant_id = ${tenantId}::uuid and r.name = 'member'`
  const given = people.flatMap(({ membershipId, roles }) => roles.map(({ id }) => [membershipId, id] as const))
  if (given.length === 0) return
  await sql`
    insert into membership_roles (tenant_id, membership_id, role_id)
    select ${tenantId}::uuid, g.membership_id, g.role_id
    from unnest(${given.map(([membership]) => membership)}::uuid[], ${given.map(([, role]) => role)}::uuid[])
      as g (membership_id, role_id)
    on conflict do nothing`
}
