/**
 * The rules of HOUSE 4.3, each one query over the catalogue that gives a sentence per breach: what is wrong and what to do.
 * A table belongs to tenants when it has a column `tenant_id`; `tenants` itself is one by its `id`.
 */

import type { Statements } from './connect.ts'
import type { TenantExceptions } from './tenant-exceptions.ts'

/** Gives the breaches of one rule. */
export type SchemaRule = (sql: Statements, exceptions: TenantExceptions) => Promise<string[]>

interface Breach {
  fault: string
}

const ofFaults = (rows: readonly Breach[]): string[] => rows.map(row => row.fault)

/** Tables of tenants (`oid`, `name`) with the number of the column that says whose a row is (`key`). */
const tenantTables = (sql: Statements) => sql`
  tenant_tables as (
    select c.oid, c.relname as name, a.attnum as key, a.attname as key_name, c.relrowsecurity, c.relforcerowsecurity,
      c.relispartition
    from pg_class c
    join pg_namespace n on n.oid = c.relnamespace and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
    join pg_attribute a on a.attrelid = c.oid and not a.attisdropped
      and a.attname = case c.relname when 'tenants' then 'id' else 'tenant_id' end
    where c.relkind in ('r', 'p')
  )`

const rowSecurity: SchemaRule = async sql =>
  ofFaults(
    await sql<Breach[]>`
      with ${tenantTables(sql)}
      select format('Table %s has no %s ROW LEVEL SECURITY: add ALTER TABLE %1$s %2$s ROW LEVEL SECURITY.', name, word) as fault
      from tenant_tables, lateral (values ('ENABLE', relrowsecurity), ('FORCE', relforcerowsecurity)) as wanted (word, done)
      where not done order by name, word`,
  )

/** As PostgreSQL prints the one condition that isolates; anything else in its place is refused, not interpreted. */
const isolation = (sql: Statements) => sql`
  format('(%s = (NULLIF(current_setting(''signet.tenant_id''::text, true), ''''::text))::uuid)', key_name)`

const isolationPolicy: SchemaRule = async sql =>
  ofFaults(
    await sql<Breach[]>`
      with ${tenantTables(sql)}
      select format('Table %s has no policy FOR ALL with USING and WITH CHECK on the tenant (%s = nullif(current_setting(''signet.tenant_id'', true), '''')::uuid): create it.', name, key_name) as fault
      from tenant_tables t
      where not exists (
        select from pg_policy p
        where p.polrelid = t.oid and p.polpermissive and p.polcmd = '*' and p.polroles = '{0}'
          and pg_get_expr(p.polqual, p.polrelid) = ${isolation(sql)}
          and pg_get_expr(p.polwithcheck, p.polrelid) = ${isolation(sql)}
      ) order by name`,
  )

/** Permissive policies are joined by OR: a second one widens the first, unless it is for signet_system and on the list. */
const otherPolicies: SchemaRule = async (sql, { systemPolicies }) =>
  ofFaults(
    await sql<Breach[]>`
      with ${tenantTables(sql)}
      select format('Policy %s on table %s lets more rows through than the tenant''s: drop it, or limit it to signet_system and name it in tenant-exceptions.ts.', p.polname, t.name) as fault
      from tenant_tables t join pg_policy p on p.polrelid = t.oid and p.polpermissive
      where not (
          pg_get_expr(p.polqual, p.polrelid) is not distinct from ${isolation(sql)}
          and pg_get_expr(p.polwithcheck, p.polrelid) is not distinct from ${isolation(sql)})
        and not (
          p.polroles = array(select oid from pg_roles where rolname = 'signet_system')
          and t.name || '.' || p.polname = any (${Object.keys(systemPolicies)}::text[]))
      order by t.name, p.polname`,
  )

const foreignKeys: SchemaRule = async (sql, exceptions) =>
  ofFaults(
    await sql<Breach[]>`
      with ${tenantTables(sql)}
      select format('Foreign key %s of table %s can point into another tenant: let it include the tenant (tenant_id, … of both tables), or name it in tenant-exceptions.ts.', k.conname, source.name) as fault
      from pg_constraint k
      join tenant_tables source on source.oid = k.conrelid
      join tenant_tables target on target.oid = k.confrelid
      where k.contype = 'f' and k.conparentid = 0
        and not exists (
          select from unnest(k.conkey, k.confkey) as pair (here, there)
          where pair.here = source.key and pair.there = target.key)
        and not k.conname = any (${Object.keys(exceptions.foreignKeys)}::text[])
      order by source.name, k.conname`,
  )

/** A table without a tenant that refers to one with a tenant holds some tenant's facts, unprotected. */
const untenantedReferences: SchemaRule = async (sql, exceptions) =>
  ofFaults(
    await sql<Breach[]>`
      with ${tenantTables(sql)}
      select format('Table %s refers to the tenants'' table %s (%s) but has no tenant_id: add the column and its policy.', k.conrelid::regclass, target.name, k.conname) as fault
      from pg_constraint k
      join tenant_tables target on target.oid = k.confrelid
      where k.contype = 'f' and k.conparentid = 0
        and not exists (select from tenant_tables source where source.oid = k.conrelid)
        and not k.conname = any (${Object.keys(exceptions.foreignKeys)}::text[])
      order by k.conname`,
  )

/** A unique key over all tenants tells one of them what another has. */
const uniqueKeys: SchemaRule = async (sql, exceptions) =>
  ofFaults(
    await sql<Breach[]>`
      with ${tenantTables(sql)}
      select format('Unique key %s of table %s does not begin with %s: put it first, or name the key in tenant-exceptions.ts.', i.relname, t.name, t.key_name) as fault
      from tenant_tables t
      join pg_index x on x.indrelid = t.oid and x.indisunique
      join pg_class i on i.oid = x.indexrelid and not i.relispartition
      where x.indkey[0] <> t.key and not i.relname = any (${Object.keys(exceptions.uniqueKeys)}::text[])
      order by t.name, i.relname`,
  )

const workingRoles = ['signet_app', 'signet_system', 'signet_places']
/** The one that owns, so that it can add and drop partitions; bound by policies as those are. */
const owningRole = 'signet_partitions'

const roles: SchemaRule = async sql =>
  ofFaults(
    await sql<Breach[]>`
      with working as (select * from pg_roles where rolname = any (${workingRoles}::text[]))
      select format('Role %s does not exist: run the migrations.', wanted) as fault
      from unnest(array['signet_app', 'signet_system']) as wanted
      where not exists (select from working where rolname = wanted)
      union all
      select format('Role %s has %s: ALTER ROLE %1$s NO%2$s.', rolname, attribute)
      from pg_roles, lateral (values ('SUPERUSER', rolsuper), ('BYPASSRLS', rolbypassrls), ('CREATEROLE', rolcreaterole),
        ('CREATEDB', rolcreatedb), ('LOGIN', rolcanlogin)) as had (attribute, has)
      where has and rolname = any (${[...workingRoles, owningRole]}::text[])
      union all
      select format('Role %s is a member of %s, which owns tables or is a superuser: REVOKE %2$s FROM %1$s.', w.rolname, o.rolname)
      from working w join pg_roles o on o.oid <> w.oid and pg_has_role(w.oid, o.oid, 'MEMBER')
      where not w.rolsuper and (o.rolsuper or o.rolbypassrls or exists (
        select from pg_class c where c.relowner = o.oid and c.relkind in ('r', 'p')))
      union all
      select format('Role %s owns table %s: ALTER TABLE %2$s OWNER TO the login that migrates.', w.rolname, c.oid::regclass)
      from working w join pg_class c on c.relowner = w.oid and c.relkind in ('r', 'p')
      union all
      select format('Role %s may TRUNCATE table %s, which no policy sees: REVOKE TRUNCATE ON %2$s FROM %1$s (or PUBLIC).', w.rolname, c.oid::regclass)
      from working w
      join pg_class c on c.relkind in ('r', 'p') and c.relowner <> w.oid
      join pg_namespace n on n.oid = c.relnamespace and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
      where not w.rolsuper and has_table_privilege(w.oid, c.oid, 'TRUNCATE')`,
  )

/** Such a function runs with its owner's rights: whoever chooses where its names are looked up, chooses what it does. */
const definerFunctions: SchemaRule = async sql =>
  ofFaults(
    await sql<Breach[]>`
      with definers as (
        select p.oid::regprocedure as name, o.rolname as owner, o.rolsuper or o.rolbypassrls as is_unbound,
          (select substr(setting, length('search_path=') + 1) from unnest(p.proconfig) as setting
            where setting like 'search_path=%') as path
        from pg_proc p
        join pg_namespace n on n.oid = p.pronamespace and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
        join pg_roles o on o.oid = p.proowner
        where p.prosecdef)
      select format('Function %s is SECURITY DEFINER and does not pin its search_path with pg_temp last: ALTER FUNCTION %1$s SET search_path = public, pg_temp.', name) as fault
      from definers where path is null or path !~ '(^|, )pg_temp$'
      union all
      select format('Function %s is SECURITY DEFINER and owned by %s, whom no policy binds: ALTER FUNCTION %1$s OWNER TO signet_system.', name, owner)
      from definers where is_unbound`,
  )

const ownerViews: SchemaRule = async (sql, exceptions) =>
  ofFaults(
    await sql<Breach[]>`
      with ${tenantTables(sql)}
      select distinct format('View %s reads the tenants'' table %s with the rights of %s: create it WITH (security_invoker = true), or give it to signet_system and name it in tenant-exceptions.ts.', v.relname, t.name, o.rolname) as fault
      from pg_class v
      join pg_roles o on o.oid = v.relowner
      join pg_rewrite r on r.ev_class = v.oid
      join pg_depend d on d.classid = 'pg_rewrite'::regclass and d.objid = r.oid and d.refclassid = 'pg_class'::regclass
      join tenant_tables t on t.oid = d.refobjid
      where v.relkind in ('v', 'm')
        and not coalesce('security_invoker=true' = any (v.reloptions), false)
        and not (o.rolname = 'signet_system' and v.relname = any (${Object.keys(exceptions.ownerViews)}::text[]))`,
  )

/** A name on the list that the database does not have is a leftover, and would excuse whatever takes that name next. */
const staleExceptions: SchemaRule = async (sql, exceptions) =>
  ofFaults(
    await sql<Breach[]>`
      with existing as (
        select relname as name, 'unique key' as kind from pg_class where relkind in ('i', 'I')
        union all select conname, 'foreign key' from pg_constraint where contype = 'f'
        union all select relname || '.' || polname, 'policy' from pg_policy join pg_class c on c.oid = polrelid
        union all select relname, 'view' from pg_class where relkind in ('v', 'm')),
      listed as (
        select unnest(${Object.keys(exceptions.uniqueKeys)}::text[]) as name, 'unique key' as kind
        union all select unnest(${Object.keys(exceptions.foreignKeys)}::text[]), 'foreign key'
        union all select unnest(${Object.keys(exceptions.systemPolicies)}::text[]), 'policy'
        union all select unnest(${Object.keys(exceptions.ownerViews)}::text[]), 'view')
      select format('The %s %s of tenant-exceptions.ts does not exist: run the migrations, or take it off the list.', kind, name) as fault
      from listed where not exists (select from existing e where e.name = listed.name and e.kind = listed.kind)`,
  )

export const schemaRules: readonly SchemaRule[] = [
  rowSecurity,
  isolationPolicy,
  otherPolicies,
  foreignKeys,
  untenantedReferences,
  uniqueKeys,
  roles,
  definerFunctions,
  ownerViews,
  staleExceptions,
]
