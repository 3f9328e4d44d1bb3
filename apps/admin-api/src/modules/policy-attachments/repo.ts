import { policies, policyAttachments, type TenantTx } from '@signet/db'
import { type Grant, type Page, type PolicyId, problem, type RoleId, type UserId } from '@signet/kernel'
import { and, asc, eq, type SQL, sql } from 'drizzle-orm'
import { listRows } from '../lists/index.ts'
import type { Holder } from './policy.ts'
import type { AttachmentQuery } from './schema.ts'

export interface PolicyOfHolder {
  readonly id: PolicyId
  readonly name: string
  readonly description: string
  readonly attachedAt: Date
}

/** Where a policy is attached. */
export interface Attachment {
  readonly type: 'user' | 'role'
  readonly id: UserId | RoleId
  readonly name: string
  readonly attachedAt: Date
}

/** The people and roles that have the policy, in the order in which it was attached. */
export async function listAttachments(
  tx: TenantTx,
  cursorKey: Uint8Array,
  policyId: PolicyId,
  query: AttachmentQuery,
): Promise<Page<Attachment>> {
  const { tenantId, userId, roleId, createdAt } = policyAttachments
  const page = await listRows<Pick<typeof policyAttachments.$inferSelect, 'userId' | 'roleId' | 'createdAt'>>(
    tx,
    cursorKey,
    {
      name: `attachments of ${policyId}`,
      from: policyAttachments,
      columns: { userId, roleId, createdAt },
      id: { by: sql`coalesce(${userId}, ${roleId})`, type: 'uuid' },
      sorts: { attached_at: { by: createdAt, type: 'timestamptz' } },
      filters: [eq(tenantId, tx.tenantId), eq(policyAttachments.policyId, policyId)],
    },
    query,
  )
  const names = await findNames(tx, page.items)
  const items = page.items.map(row => {
    const id = row.userId ?? (row.roleId as RoleId)
    return {
      type: row.userId === null ? ('role' as const) : ('user' as const),
      id,
      name: names.get(id) ?? id,
      attachedAt: row.createdAt,
    }
  })
  return { ...page, items }
}

async function findNames(
  tx: TenantTx,
  rows: readonly { readonly userId: UserId | null; readonly roleId: RoleId | null }[],
): Promise<ReadonlyMap<string, string>> {
  const userIds = rows.flatMap(({ userId }) => (userId === null ? [] : [userId]))
  const roleIds = rows.flatMap(({ roleId }) => (roleId === null ? [] : [roleId]))
  const found = await tx.sql<{ id: string; name: string }[]>`
    select id, name from roles where tenant_id = ${tx.tenantId} and id = any(${roleIds}::uuid[])
    union all
    select id, coalesce(name, email, username, id::text) from guest_profiles(${userIds}::uuid[])`
  return new Map(found.map(({ id, name }) => [id, name]))
}

/** A member of the tenant, guests included. @throws Problem `user-not-found` */
export function findPerson(tx: TenantTx, id: UserId): Promise<Holder> {
  return selectPerson(tx, id, tx.sql``)
}

/** As `findPerson`, and nobody changes what they have before this transaction ends. @throws Problem `user-not-found` */
export function lockPerson(tx: TenantTx, id: UserId): Promise<Holder> {
  return selectPerson(tx, id, tx.sql`for update of m`)
}

async function selectPerson(tx: TenantTx, id: UserId, lock: ReturnType<TenantTx['sql']>): Promise<Holder> {
  const [member] = await tx.sql<{ version: number }[]>`
    select coalesce(u.version, m.version) as version
    from memberships m left join users u on u.tenant_id = m.tenant_id and u.id = m.user_id
    where m.tenant_id = ${tx.tenantId} and m.user_id = ${id} and u.status is distinct from 'deleted' ${lock}`
  if (member === undefined) throw problem('user-not-found')
  const [access] = await tx.sql<{ reach: string[] }[]>`select reach from member_access(${tx.tenantId}, ${id})`
  return { id, type: 'user', held: access?.reach ?? [], version: member.version }
}

/** What is attached to the person or the role, in the order of the names. */
export async function listPoliciesOf({ db, tenantId }: TenantTx, holder: Holder): Promise<PolicyOfHolder[]> {
  const { id, name, description } = policies
  return db
    .select({ id, name, description, attachedAt: policyAttachments.createdAt })
    .from(policyAttachments)
    .innerJoin(policies, and(eq(policies.tenantId, policyAttachments.tenantId), eq(id, policyAttachments.policyId)))
    .where(and(eq(policyAttachments.tenantId, tenantId), isOn(holder)))
    .orderBy(asc(name))
}

/** False when it was attached before. */
export async function insertAttachment(
  { db, tenantId }: TenantTx,
  { resource }: Grant<'policies:modify', Holder>,
  policyId: PolicyId,
): Promise<boolean> {
  const holder = resource.type === 'user' ? { userId: resource.id } : { roleId: resource.id }
  const made = await db
    .insert(policyAttachments)
    .values({ tenantId, policyId, ...holder })
    .onConflictDoNothing()
    .returning({ policyId: policyAttachments.policyId })
  return made.length > 0
}

/** False when it was not attached. */
export async function deleteAttachment(
  { db, tenantId }: TenantTx,
  { resource }: Grant<'policies:modify', Holder>,
  policyId: PolicyId,
): Promise<boolean> {
  const gone = await db
    .delete(policyAttachments)
    .where(and(eq(policyAttachments.tenantId, tenantId), eq(policyAttachments.policyId, policyId), isOn(resource)))
    .returning({ policyId: policyAttachments.policyId })
  return gone.length > 0
}

function isOn({ type, id }: Holder): SQL {
  return eq(type === 'user' ? policyAttachments.userId : policyAttachments.roleId, id)
}
