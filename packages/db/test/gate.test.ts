import { testDatabase } from '@signet/testkit'
import t from 'tap'
import {
  type AdminSql,
  assertSafeSchema,
  grantLogin,
  tenantExceptions,
  UnsafeSchemaError,
  withAdminClient,
} from '../src/index.ts'

const { db, superUrl } = await testDatabase(t)

/** The faults that the gate finds once `sql` has run; it is rolled back, so other tests' databases and roles stay. */
async function plant(sql: string): Promise<readonly string[]> {
  return withAdminClient(superUrl, async connection => {
    await connection`begin`
    await connection.unsafe(sql)
    const faults = await faultsOf(connection)
    await connection`rollback`
    return faults
  })
}

async function faultsOf(sql: AdminSql): Promise<readonly string[]> {
  try {
    await assertSafeSchema({ ...db, sql })
    return []
  } catch (error) {
    if (error instanceof UnsafeSchemaError) return error.faults
    throw error
  }
}

const isolation = `using (tenant_id = nullif(current_setting('signet.tenant_id', true), '')::uuid)
  with check (tenant_id = nullif(current_setting('signet.tenant_id', true), '')::uuid)`
const secure = `alter table bikes enable row level security; alter table bikes force row level security;
  create policy tenant_isolation on bikes ${isolation};`
const bikes = `create table bikes (tenant_id uuid not null, id uuid not null, primary key (tenant_id, id)); ${secure}`

const violations: readonly (readonly [sentence: string, sql: string, ...expected: RegExp[]])[] = [
  [
    'a new table without any protection',
    'create table bikes (tenant_id uuid not null)',
    /bikes has no ENABLE ROW/,
    /bikes has no FORCE ROW/,
    /bikes has no policy FOR ALL/,
  ],
  ['row-level security switched off', 'alter table users disable row level security', /users has no ENABLE ROW/],
  ['row-level security that spares the owner', 'alter table users no force row level security', /users has no FORCE/],
  ['the tenants themselves unprotected', 'alter table tenants disable row level security', /tenants has no ENABLE ROW/],
  ['a policy that was dropped', 'drop policy tenant_isolation on roles', /roles has no policy/],
  [
    'a policy that checks reads only',
    `${bikes} drop policy tenant_isolation on bikes;
     create policy tenant_isolation on bikes for select
       using (tenant_id = nullif(current_setting('signet.tenant_id', true), '')::uuid)`,
    /bikes has no policy FOR ALL/,
    /tenant_isolation on table bikes lets more rows/,
  ],
  [
    'a policy that lets anything be written',
    `${bikes} alter policy tenant_isolation on bikes with check (true)`,
    /bikes has no policy FOR ALL/,
    /tenant_isolation on table bikes lets more rows/,
  ],
  [
    'a condition that is nearly right',
    `${bikes} alter policy tenant_isolation on bikes
       using (tenant_id = nullif(current_setting('signet.tenant_id', true), '')::uuid or tenant_id is null)`,
    /bikes has no policy FOR ALL/,
    /tenant_isolation on table bikes lets more rows/,
  ],
  [
    'a second policy that widens the first',
    'create policy everybody on users for select using (true)',
    /everybody on table users lets more rows/,
  ],
  [
    'a listed policy that was opened to the programs',
    'alter policy system_reads on users to signet_app, signet_system',
    /system_reads on table users lets more rows/,
  ],
  [
    'a policy for signet_system that is on no list',
    'create policy system_writes on users for update to signet_system using (true)',
    /system_writes on table users lets more rows/,
  ],
  [
    'a partition without its parent’s policy',
    `create table trips (tenant_id uuid not null, id uuid not null, primary key (tenant_id, id)) partition by range (id);
     ${secure.replaceAll('bikes', 'trips')}
     create table trips_1 partition of trips default`,
    /trips_1 has no ENABLE ROW/,
    /trips_1 has no FORCE ROW/,
    /trips_1 has no policy/,
  ],
  [
    'a month of events without its policy',
    'drop policy tenant_isolation on partitions.audit_events_first',
    /audit_events_first has no policy/,
  ],
  [
    'an owner of partitions that may pass over policies',
    'alter role signet_partitions bypassrls',
    /signet_partitions has BYPASSRLS/,
    /drop_partitions\(text,integer\) is SECURITY DEFINER and owned by/,
    /make_partitions\(\) is SECURITY DEFINER and owned by/,
  ],
  [
    'a program that can become the owner of partitions',
    'grant signet_partitions to signet_app',
    /signet_app is a member of signet_partitions/,
    ...Array<RegExp>(6).fill(/signet_app may TRUNCATE table (partitions\.)?(audit_events|outbound_messages)/),
  ],
  [
    'a reference into any tenant',
    `${bikes} alter table bikes add owner_id uuid constraint bikes__owner references users (id)`,
    /bikes__owner of table bikes can point into another tenant/,
  ],
  [
    'a reference that includes the wrong column as tenant',
    `${bikes} alter table bikes add owner_tenant uuid, add owner_id uuid,
       add constraint bikes__owner foreign key (owner_tenant, owner_id) references users (tenant_id, id)`,
    /bikes__owner of table bikes can point/,
  ],
  [
    'a table that hides a tenant’s facts',
    'create table wheels (user_id uuid constraint wheels__user references users (id))',
    /wheels refers to the tenants' table users/,
  ],
  [
    'a unique key over all tenants',
    `${bikes} create unique index bikes__id on bikes (id)`,
    /bikes__id of table bikes does not begin with tenant_id/,
  ],
  [
    'a unique key on an expression over all tenants',
    `${bikes} create unique index bikes__text on bikes ((id::text), tenant_id)`,
    /bikes__text of table bikes/,
  ],
  ['a working role that may pass over policies', 'alter role signet_app bypassrls', /signet_app has BYPASSRLS/],
  ['a working role that is a superuser', 'alter role signet_places superuser', /signet_places has SUPERUSER/],
  ['a working role that logs in', 'alter role signet_app login', /signet_app has LOGIN/],
  [
    'a working role that owns a table',
    'grant create on schema public to signet_app; alter table idempotency_keys owner to signet_app',
    /signet_app owns table idempotency_keys/,
  ],
  [
    'a working role that can become an owner',
    `create role bikes_owner; grant create on schema public to bikes_owner;
     alter table idempotency_keys owner to bikes_owner; grant bikes_owner to signet_app`,
    /signet_app is a member of bikes_owner/,
    /signet_app may TRUNCATE table idempotency_keys/,
  ],
  ['a working role that may truncate', 'grant truncate on users to signet_app', /signet_app may TRUNCATE table users/],
  [
    'everybody may truncate',
    'grant truncate on users to public',
    /signet_app may TRUNCATE table users/,
    /signet_places may TRUNCATE table users/,
    /signet_system may TRUNCATE table users/,
  ],
  [
    'a function with its owner’s rights and a search path of the caller’s',
    `create function bikes() returns integer language sql security definer as 'select 1';
     alter function bikes() owner to signet_system`,
    /bikes\(\) is SECURITY DEFINER and does not pin/,
  ],
  [
    'a pinned search path that looks into temporary tables first',
    `create function bikes() returns integer language sql security definer set search_path = public as 'select 1';
     alter function bikes() owner to signet_system`,
    /bikes\(\) is SECURITY DEFINER and does not pin/,
  ],
  [
    'a function of a superuser',
    `create function bikes() returns integer language sql security definer set search_path = public, pg_temp as 'select 1'`,
    /bikes\(\) is SECURITY DEFINER and owned by/,
  ],
  [
    'a view with its owner’s rights',
    'create view people as select * from users',
    /View people reads the tenants' table users/,
  ],
  [
    'a leftover on the list of exceptions',
    'drop view all_tenants cascade',
    /The view all_tenants of tenant-exceptions.ts does not exist/,
  ],
]

t.test('T-06 the gate', async t => {
  await t.test('lets the migrated schema pass', t => t.resolves(assertSafeSchema(db, { environment: 'production' })))

  await t.test('lets a table pass that follows the rules', async t => {
    t.same(await plant(bikes), [])
    t.same(await plant(`${bikes} create view people with (security_invoker = true) as select * from users`), [])
  })

  for (const [sentence, sql, ...expected] of violations) {
    await t.test(`refuses ${sentence}`, async t => {
      const faults = await plant(sql)
      t.equal(faults.length, expected.length, faults.join('\n'))
      for (const pattern of expected)
        t.ok(
          faults.some(fault => pattern.test(fault)),
          pattern.source,
        )
    })
  }

  await t.test('tells all faults at once, each with what to do', async t => {
    const faults = await plant('alter table users disable row level security; grant truncate on roles to signet_app')
    t.same(faults, [
      'Table users has no ENABLE ROW LEVEL SECURITY: add ALTER TABLE users ENABLE ROW LEVEL SECURITY.',
      'Role signet_app may TRUNCATE table roles, which no policy sees: REVOKE TRUNCATE ON roles FROM signet_app (or PUBLIC).',
    ])
  })

  await t.test('needs each of the exceptions that are listed', async t => {
    const none = { uniqueKeys: {}, foreignKeys: {}, systemPolicies: {}, ownerViews: {} }
    const error = await assertSafeSchema(db, { exceptions: none }).catch((e: unknown) => e)
    const listed = Object.values(tenantExceptions).flatMap(names => Object.keys(names as object))
    t.ok(error instanceof UnsafeSchemaError && error.faults.length === listed.length, String(error))
  })

  await t.test('refuses a superuser in production and staging', async t => {
    await withAdminClient(superUrl, async sql => {
      const asSuperuser = { ...db, sql }
      for (const environment of ['production', 'staging']) {
        await t.rejects(assertSafeSchema(asSuperuser, { environment }), /is a superuser or has BYPASSRLS/)
      }
      await t.resolves(assertSafeSchema(asSuperuser, { environment: 'development' }))
    })
  })

  await t.test('refuses a login that may not work', async t => {
    const [{ name } = { name: '' }] = await db.sql<{ name: string }[]>`select session_user::text as name`
    const refusal = /does not have the rights of signet_app/
    await withAdminClient(superUrl, sql => sql`revoke signet_app from ${sql(name)}`)
    await t.rejects(assertSafeSchema(db), refusal, 'no member')
    await withAdminClient(superUrl, async sql => {
      await sql`alter role ${sql(name)} noinherit`
      await sql`grant signet_app to ${sql(name)}`
    })
    await t.rejects(assertSafeSchema(db), refusal, 'a member that does not inherit')
    await withAdminClient(superUrl, sql => sql`alter role ${sql(name)} inherit`)
    await grantLogin(superUrl, name, ['signet_app'])
    await assertSafeSchema(db)
  })
})

t.test('T-05 raw SQL of the program’s role with the tenant unset, empty or random sees no row', async t => {
  await withAdminClient(superUrl, async sql => {
    await sql.unsafe(
      `insert into tenants (id, slug, name) values ('018f0000-0000-7000-8000-000000000001', 'seen', 'Seen')`,
    )
    const tables = await sql<{ name: string }[]>`
      select c.oid::regclass::text as name from pg_class c join pg_attribute a on a.attrelid = c.oid
      where c.relkind in ('r', 'p') and (a.attname = 'tenant_id' or c.relname = 'tenants' and a.attname = 'id')
        and has_table_privilege('signet_app', c.oid, 'select')`
    t.ok(tables.length > 8, `${tables.length} tables`)
    await sql`set role signet_app`
    for (const tenant of [undefined, '', '018f0000-0000-7000-8000-00000000ffff']) {
      if (tenant !== undefined) await sql`select set_config('signet.tenant_id', ${tenant}, false)`
      for (const { name } of tables) {
        const rows = await sql`select from ${sql.unsafe(name)}`
        t.equal(rows.length, 0, `${name}, tenant ${tenant}`)
      }
    }
    await t.rejects(
      sql`insert into tenants (id, slug, name) values ('018f0000-0000-7000-8000-000000000002', 'x', 'X')`,
      {
        code: '42501',
      },
    )
  })
})
