import type { User } from '@signet/accounts'
import { type TenantTx, users } from '@signet/db'
import { type Page, problem, type UserId } from '@signet/kernel'
import { and, eq, getTableColumns, ne, sql } from 'drizzle-orm'
import { holdsText, listRows, sortText } from '../lists/index.ts'
import type { Standing } from './policy.ts'
import type { UserQuery } from './schema.ts'

export function listUsers(tx: TenantTx, cursorKey: Uint8Array, query: UserQuery): Promise<Page<User>> {
  const { q, email, username, phone, status, kind } = query
  return listRows<User>(
    tx,
    cursorKey,
    {
      name: 'users',
      from: users,
      columns: getTableColumns(users),
      id: { by: users.id, type: 'uuid' },
      sorts: {
        created_at: { by: users.createdAt, type: 'timestamptz' },
        name: sortText(users.name),
        email: sortText(users.email),
        username: sortText(users.username),
      },
      filters: [
        eq(users.tenantId, tx.tenantId),
        ne(users.status, 'deleted'),
        holdsText(q, users.email, users.username, users.phone, users.name, users.firstName, users.lastName),
        email === undefined ? undefined : eq(users.email, email.toLowerCase()),
        username === undefined ? undefined : eq(users.id, ownerOf(username)),
        phone === undefined ? undefined : eq(users.phone, phone),
        status === undefined ? undefined : eq(users.status, status),
        kind === undefined ? undefined : eq(users.kind, kind),
      ],
    },
    query,
  )
}

/** Found by a function: behind row-level security the index on what lower() gives is of no use. */
function ownerOf(username: string) {
  return sql`(select username_owner from find_identifier_owners(array[null], array[${username}], array[null]))`
}

/** @throws Problem `user-not-found` */
export async function findUserByEmail({ db, tenantId }: TenantTx, email: string): Promise<UserId> {
  const isMeant = and(eq(users.tenantId, tenantId), eq(users.email, email.toLowerCase()), ne(users.status, 'deleted'))
  const [user] = await db.select({ id: users.id }).from(users).where(isMeant)
  if (user === undefined) throw problem('user-not-found', 'User not found')
  return user.id
}

/**
 * The person, whom nobody else changes before this transaction ends. The client of a sub-client comes first: whoever suspends
 * it takes its sub-clients after it. Their membership comes before what keeps the last administrator, as where a role is taken
 * away. So nobody waits for the other in a circle.
 * @throws Problem `user-not-found`
 */
export async function lockUser({ db, sql: statement, tenantId }: TenantTx, id: UserId): Promise<User> {
  await statement`
    select from users c join users s on s.tenant_id = c.tenant_id and s.parent_id = c.id
    where s.tenant_id = ${tenantId} and s.id = ${id} for share of c`
  const [user] = await db
    .select()
    .from(users)
    .where(and(eq(users.tenantId, tenantId), eq(users.id, id), ne(users.status, 'deleted')))
    .for('update')
  if (user === undefined) throw problem('user-not-found')
  await statement`select from memberships where tenant_id = ${tenantId} and user_id = ${id} for update`
  return user
}

export async function findStanding({ sql: statement, tenantId }: TenantTx, { id }: User): Promise<Standing> {
  const [row] = await statement<{ reach: string[]; is_platform_staff: boolean }[]>`
    select reach, is_platform_staff from member_access(${tenantId}, ${id})`
  return { held: row?.reach ?? [], isPlatformStaff: row?.is_platform_staff ?? false }
}
