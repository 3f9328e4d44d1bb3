/** What the database has in each tenant. */

import type { Database } from '@signet/db'
import type { MarkedRow, TenantCount } from './tenant-checks.ts'

/** The tenant of every row that has an id, whatever its table; a tenant's own id is its own. */
export async function readOwners(db: Database): Promise<ReadonlyMap<string, string>> {
  const tables = await db.sql<{ name: string }[]>`
    select c.oid::regclass::text as name from pg_class c
    join pg_attribute t on t.attrelid = c.oid and t.attname = 'tenant_id'
    join pg_attribute i on i.attrelid = c.oid and i.attname = 'id' and i.atttypid = 'uuid'::regtype
    where c.relkind in ('r', 'p') and not c.relispartition and c.relnamespace = 'public'::regnamespace`
  const owners = new Map<string, string>()
  for (const from of [`select id, id as "tenantId" from tenants`, ...tables.map(selectOwners)]) {
    const rows = await db.sql.unsafe<{ id: string; tenantId: string }[]>(from)
    for (const { id, tenantId } of rows) owners.set(id, tenantId)
  }
  return owners
}

function selectOwners({ name }: { readonly name: string }): string {
  return `select id, tenant_id as "tenantId" from ${name}`
}

/** People and roles that requests have made, and people whom they have renamed. */
export async function readMarkedRows(
  db: Database,
): Promise<{ readonly made: MarkedRow[]; readonly renamed: MarkedRow[] }> {
  const made = await db.sql<MarkedRow[]>`
    select 'user' as kind, split_part(email, '@', 1) as mark, tenant_id as "tenantId" from users where email like 'mark-%'
    union all
    select 'role', name, tenant_id from roles where name like 'mark-%'`
  const renamed = await db.sql<MarkedRow[]>`
    select 'user' as kind, name as mark, tenant_id as "tenantId" from users where name like 'mark-%'`
  return { made, renamed }
}

export async function countByTenant(db: Database): Promise<TenantCount[]> {
  return db.sql<TenantCount[]>`
    select t.id as "tenantId",
      (select count(*)::int from users where tenant_id = t.id) as users,
      (select count(*)::int from memberships where tenant_id = t.id) as memberships,
      (select count(*)::int from audit_events where tenant_id = t.id and action = 'user.created') as created
    from tenants t`
}

/** Connections of the administration, and how many of them are at work. */
export async function countConnections(db: Database): Promise<{ readonly all: number; readonly atWork: number }> {
  const [count] = await db.sql<{ all: number; atWork: number }[]>`
    select count(*)::int as all, (count(*) filter (where state <> 'idle'))::int as "atWork" from pg_stat_activity
    where datname = current_database() and application_name = 'signet-admin-api'`
  if (count === undefined) throw new Error('The server does not say who is connected.')
  return count
}
