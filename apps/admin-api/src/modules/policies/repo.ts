import { policies, policyStatements, type TenantTx, translateConstraint } from '@signet/db'
import { type Grant, newId, type Page, type PolicyId, problem } from '@signet/kernel'
import { and, eq, getTableColumns, inArray, type SQL, sql } from 'drizzle-orm'
import { holdsText, listRows, sortText } from '../lists/index.ts'
import type { Compiled } from './compile.ts'
import type { Names } from './policy.ts'
import type { PolicyForm } from './form.ts'
import type { PolicyQuery } from './schema.ts'
import type { Catalogue, Statement } from './statements.ts'

type PolicyRow = Omit<typeof policies.$inferSelect, 'form'> & { readonly form: PolicyForm | null }
type Listed = Omit<PolicyRow, 'source' | 'form'>

export type ListedPolicy = Listed & { readonly statements: readonly Statement[] }
export type Policy = PolicyRow & ListedPolicy & Names

/** To whom a policy is attached: how many there are, and the first of them by name. */
export interface Holders {
  readonly users: number
  readonly roles: number
  readonly first: readonly { readonly type: 'user' | 'role'; readonly name: string }[]
}

const meanings = {
  policies__tenant_id_name: () => problem('policy-name-taken'),
  policy_statements__permission: () =>
    problem('concurrent-change', 'A permission that the policy names has just left the catalogue.'),
}

export async function listPolicies(
  tx: TenantTx,
  cursorKey: Uint8Array,
  query: PolicyQuery,
): Promise<Page<ListedPolicy>> {
  const { q, name, action } = query
  const { source: _source, form: _form, ...columns } = getTableColumns(policies)
  const page = await listRows<Listed>(
    tx,
    cursorKey,
    {
      name: 'policies',
      from: policies,
      columns,
      id: { by: policies.id, type: 'uuid' },
      sorts: { created_at: { by: policies.createdAt, type: 'timestamptz' }, name: sortText(policies.name) },
      filters: [
        eq(policies.tenantId, tx.tenantId),
        holdsText(q, policies.name, policies.description),
        name === undefined ? undefined : eq(policies.name, name),
        action === undefined ? undefined : namesAction(action),
      ],
    },
    query,
  )
  const statements = await findStatements(
    tx,
    page.items.map(({ id }) => id),
  )
  return { ...page, items: page.items.map(row => ({ ...row, statements: statements.get(row.id) ?? [] })) }
}

/** @throws Problem `policy-not-found` */
export async function findPolicy(tx: TenantTx, id: PolicyId): Promise<Policy> {
  return only(tx, await tx.db.select().from(policies).where(isPolicy(tx, id)))
}

/** As `findPolicy`, and nobody else changes or attaches it before this transaction ends. @throws Problem `policy-not-found` */
export async function lockPolicy(tx: TenantTx, id: PolicyId): Promise<Policy> {
  return only(tx, await tx.db.select().from(policies).where(isPolicy(tx, id)).for('update'))
}

/** As `findPolicy`, and nobody changes it before this transaction ends. @throws Problem `policy-not-found` */
export async function holdPolicy(tx: TenantTx, id: PolicyId): Promise<Policy> {
  return only(tx, await tx.db.select().from(policies).where(isPolicy(tx, id)).for('share'))
}

/** @throws Problem `policy-name-taken`, `concurrent-change` where a permission leaves the catalogue meanwhile */
export async function insertPolicy(
  tx: TenantTx,
  _grant: Grant<'policies:create', Names | null>,
  { name, description }: { readonly name: string; readonly description: string },
  { source, form, statements }: Compiled,
): Promise<Policy> {
  try {
    const row = { tenantId: tx.tenantId, id: newId<PolicyId>(), name, description, source, form }
    const made = await tx.db.insert(policies).values(row).returning()
    await insertStatements(tx, row.id, statements)
    return await only(tx, made)
  } catch (error) {
    throw translateConstraint(error, meanings)
  }
}

/** A new version; with `compiled`, other statements. @throws Problem `policy-name-taken` */
export async function updatePolicy(
  tx: TenantTx,
  grant: Grant<'policies:modify', Policy>,
  change: { readonly name?: string; readonly description?: string },
  compiled?: Compiled,
): Promise<Policy> {
  const { id, version } = grant.resource
  try {
    if (compiled !== undefined) {
      const { tenantId, policyId } = policyStatements
      await tx.db.delete(policyStatements).where(and(eq(tenantId, tx.tenantId), eq(policyId, id)))
      await insertStatements(tx, id, compiled.statements)
    }
    const text = compiled === undefined ? {} : { source: compiled.source, form: compiled.form }
    const changed = await tx.db
      .update(policies)
      .set({ ...change, ...text, version: version + 1, updatedAt: sql`now()` })
      .where(isPolicy(tx, id))
      .returning()
    return await only(tx, changed)
  } catch (error) {
    throw translateConstraint(error, meanings)
  }
}

/** One that is attached to nobody: the caller has locked it and looked. */
export async function deletePolicy(tx: TenantTx, { resource }: Grant<'policies:delete', Policy>): Promise<void> {
  await tx.db.delete(policies).where(isPolicy(tx, resource.id))
}

/** What policies of this tenant may name. */
export async function findCatalogue(tx: TenantTx): Promise<Catalogue> {
  const codes = await tx.sql<{ code: string; fits: boolean }[]>`
    select p.code, not p.is_platform or t.is_platform as fits from permissions p join tenants t on t.id = ${tx.tenantId}`
  return new Map(codes.map(({ code, fits }) => [code, { fits }]))
}

export async function findHolders(tx: TenantTx, id: PolicyId): Promise<Holders> {
  const [counted] = await tx.sql<{ users: number; roles: number }[]>`
    select count(user_id)::int as users, count(role_id)::int as roles from policy_attachments
    where tenant_id = ${tx.tenantId} and policy_id = ${id}`
  const first = await tx.sql<{ type: 'user' | 'role'; name: string }[]>`
    select 'role' as type, r.name
    from policy_attachments a join roles r on r.tenant_id = a.tenant_id and r.id = a.role_id
    where a.tenant_id = ${tx.tenantId} and a.policy_id = ${id}
    union all
    select 'user', coalesce(g.name, g.email, g.username, g.id::text)
    from guest_profiles(array(
      select a.user_id from policy_attachments a
      where a.tenant_id = ${tx.tenantId} and a.policy_id = ${id} and a.user_id is not null
      order by a.created_at limit 10)) g
    order by type, name limit 10`
  return { users: counted?.users ?? 0, roles: counted?.roles ?? 0, first }
}

function isPolicy({ tenantId }: TenantTx, id: PolicyId) {
  return and(eq(policies.tenantId, tenantId), eq(policies.id, id))
}

function namesAction(action: string): SQL {
  return sql`exists (select from ${policyStatements} s
    where s.tenant_id = ${policies.tenantId} and s.policy_id = ${policies.id}
      and (s.actions is null or ${action} = any(s.actions)))`
}

async function only(tx: TenantTx, [row]: readonly (typeof policies.$inferSelect)[]): Promise<Policy> {
  if (row === undefined) throw problem('policy-not-found')
  const statements = (await findStatements(tx, [row.id])).get(row.id) ?? []
  const named = await tx.sql<{ code: string }[]>`
    select p.code from permissions p join tenants t on t.id = ${tx.tenantId} and (t.is_platform or not p.is_platform)
    where exists (select from policy_statements s
      where s.tenant_id = t.id and s.policy_id = ${row.id} and (s.actions is null or p.code = any(s.actions)))`
  return {
    ...row,
    form: row.form as PolicyForm | null,
    statements,
    names: named.map(({ code }) => code),
    namesEverything: statements.some(({ actions }) => actions === null),
  }
}

async function findStatements(
  { db, tenantId }: TenantTx,
  ids: readonly PolicyId[],
): Promise<ReadonlyMap<PolicyId, Statement[]>> {
  const found = new Map<PolicyId, Statement[]>(ids.map(id => [id, []]))
  if (ids.length === 0) return found
  const { tenantId: tenant, policyId, number } = policyStatements
  const rows = await db
    .select()
    .from(policyStatements)
    .where(and(eq(tenant, tenantId), inArray(policyId, [...ids])))
    .orderBy(policyId, number)
  for (const { tenantId: _tenant, policyId: id, ...statement } of rows) found.get(id)?.push(statement)
  return found
}

async function insertStatements(
  { db, tenantId }: TenantTx,
  policyId: PolicyId,
  statements: readonly Statement[],
): Promise<void> {
  await db.insert(policyStatements).values(
    statements.map(({ actions, ...statement }) => ({
      ...statement,
      actions: actions === null ? null : [...actions],
      tenantId,
      policyId,
    })),
  )
}
