import type { User } from '@signet/accounts'
import { membershipRoles, memberships, roles, type TenantTx, users } from '@signet/db'
import { type Page, problem, type RoleId, type UserId } from '@signet/kernel'
import { and, eq, getTableColumns, inArray, ne } from 'drizzle-orm'
import { holdsText, listRows, sortText } from '../lists/index.ts'
import { findStanding, lockUser, type Standing } from '../users/index.ts'
import type { AccountKind } from './policy.ts'
import type { AccountQuery } from './schema.ts'

/** A client or a sub-client, with its roles by name. */
export type Account = User & {
  readonly roles: readonly { readonly id: RoleId; readonly name: string }[]
  /** Rises with each change of its roles. */
  readonly membershipVersion: number
}

/** @param clientId whose sub-clients they are, where it is one client's alone */
export async function listAccounts(
  tx: TenantTx,
  cursorKey: Uint8Array,
  of: AccountKind,
  clientId: UserId | undefined,
  query: AccountQuery,
): Promise<Page<Account>> {
  const { q, status, client_id } = query
  const page = await listRows<User>(
    tx,
    cursorKey,
    {
      name: clientId === undefined ? of.resource : `${of.resource} of ${clientId}`,
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
        eq(users.kind, of.kind),
        ne(users.status, 'deleted'),
        clientId === undefined ? undefined : eq(users.parentId, clientId),
        client_id === undefined ? undefined : eq(users.parentId, client_id as UserId),
        status === undefined ? undefined : eq(users.status, status),
        holdsText(q, users.email, users.username, users.phone, users.name, users.firstName, users.lastName),
      ],
    },
    query,
  )
  return { ...page, items: await withRoles(tx, page.items) }
}

/** @throws Problem `client-not-found`, `sub-client-not-found`, also for a person of another kind */
export async function findAccount(tx: TenantTx, of: AccountKind, id: UserId): Promise<Account> {
  const [account] = await withRoles(
    tx,
    await tx.db
      .select()
      .from(users)
      .where(isAccount(tx, of, id)),
  )
  if (account === undefined) throw problem(of.policy.hidden)
  return account
}

/** As `findAccount`, and nobody else changes it before this transaction ends. */
export async function lockAccount(tx: TenantTx, of: AccountKind, id: UserId): Promise<Account & Standing> {
  await findAccount(tx, of, id)
  const user = await lockUser(tx, id)
  const [account] = await withRoles(tx, [user])
  if (account === undefined) throw problem(of.policy.hidden)
  return { ...account, ...(await findStanding(tx, user)) }
}

function isAccount({ tenantId }: TenantTx, { kind }: AccountKind, id: UserId) {
  return and(eq(users.tenantId, tenantId), eq(users.id, id), eq(users.kind, kind), ne(users.status, 'deleted'))
}

export async function withRoles(tx: TenantTx, people: readonly User[]): Promise<Account[]> {
  if (people.length === 0) return []
  const { userId, version } = memberships
  const rows = await tx.db
    .select({ userId, version, id: roles.id, name: roles.name })
    .from(memberships)
    .leftJoin(
      membershipRoles,
      and(eq(membershipRoles.tenantId, memberships.tenantId), eq(membershipRoles.membershipId, memberships.id)),
    )
    .leftJoin(roles, and(eq(roles.tenantId, membershipRoles.tenantId), eq(roles.id, membershipRoles.roleId)))
    .where(
      and(
        eq(memberships.tenantId, tx.tenantId),
        inArray(
          userId,
          people.map(person => person.id),
        ),
      ),
    )
    .orderBy(roles.name)
  const rowsOf = Map.groupBy(rows, row => row.userId)
  return people.map(person => {
    const own = rowsOf.get(person.id) ?? []
    return {
      ...person,
      roles: own.flatMap(({ id, name }) => (id === null || name === null ? [] : [{ id, name }])),
      membershipVersion: own[0]?.version ?? 0,
    }
  })
}
