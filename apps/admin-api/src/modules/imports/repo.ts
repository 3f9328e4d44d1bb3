import type { TenantTx } from '@signet/db'
import type { RoleId, UserId } from '@signet/kernel'

/** At least one of the three; the e-mail address folded. */
export interface Identifiers {
  readonly email?: string
  readonly username?: string
  readonly phone?: string
}

/** Who has the identifiers of one line. An owner is a person of this tenant; what is taken has one anywhere. */
export interface Owners {
  readonly email: UserId | null
  readonly isEmailTaken: boolean
  readonly username: UserId | null
  readonly phone: UserId | null
  readonly isPhoneTaken: boolean
}

/** In the order of `people`. */
export function findOwners({ sql }: TenantTx, people: readonly Identifiers[]): Promise<readonly Owners[]> {
  return sql<Owners[]>`
    select email_owner as email, is_email_taken as "isEmailTaken", username_owner as username, phone_owner as phone,
      is_phone_taken as "isPhoneTaken"
    from find_identifier_owners(${people.map(({ email }) => email ?? null)}, ${people.map(({ username }) => username ?? null)},
      ${people.map(({ phone }) => phone ?? null)})`
}

export interface Client {
  readonly id: UserId
  readonly status: 'active' | 'suspended'
  readonly email: string | null
  readonly username: string | null
  readonly phone: string | null
}

/** The clients of this tenant behind these identifiers, which stay as they are until the transaction ends. */
export function lockClients({ sql, tenantId }: TenantTx, identifiers: readonly string[]): Promise<readonly Client[]> {
  const folded = identifiers.map(identifier => identifier.toLowerCase())
  return sql<Client[]>`
    select id, status, email, username, phone from users
    where tenant_id = ${tenantId} and kind = 'client' and status <> 'deleted'
      and (email = any(${folded}::text[]) or lower(username) = any(${folded}::text[]) or phone = any(${folded}::text[]))
    order by id
    for share`
}

export function findRolesByName(
  { sql, tenantId }: TenantTx,
  names: readonly string[],
): Promise<readonly { readonly id: RoleId; readonly name: string }[]> {
  return sql<{ id: RoleId; name: string }[]>`
    select id, name from roles where tenant_id = ${tenantId} and name = any(${[...names]}::text[])`
}

/** What a new person with these roles may at most, by them and by policies on everybody; `held` is what the roles hold. */
export async function findReachOfNew(
  { sql, tenantId }: TenantTx,
  roleIds: readonly RoleId[],
  held: readonly string[],
): Promise<readonly string[]> {
  const [row] = await sql<{ reach: string[] }[]>`
    select reach from apply_policies(${tenantId}, null, ${[...roleIds]}::uuid[], ${[...held]}::text[])`
  return row?.reach ?? []
}

/** What an export says of people beside what their rows hold, by their ids. */
export interface Standing {
  readonly id: UserId
  /** Names, without `member`. */
  readonly roles: readonly string[]
  /** An identifier of the client of a sub-client. */
  readonly client: string | null
}

export function findStandings({ sql, tenantId }: TenantTx, ids: readonly UserId[]): Promise<readonly Standing[]> {
  return sql<Standing[]>`
    select u.id, coalesce(c.email, c.username, c.phone) as client, coalesce((
        select array_agg(r.name order by r.name)
        from memberships m
        join membership_roles mr on mr.tenant_id = m.tenant_id and mr.membership_id = m.id
        join roles r on r.tenant_id = mr.tenant_id and r.id = mr.role_id
        where m.tenant_id = u.tenant_id and m.user_id = u.id and r.name <> 'member'), '{}') as roles
    from users u
    left join users c on c.tenant_id = u.tenant_id and c.id = u.parent_id
    where u.tenant_id = ${tenantId} and u.id = any(${[...ids]}::uuid[])`
}
