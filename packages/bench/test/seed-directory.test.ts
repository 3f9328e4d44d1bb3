import { inTenant, withAdminClient } from '@signet/db'
import { testDatabase } from '@signet/testkit'
import t from 'tap'
import { seedDirectory } from '../src/seed-directory.ts'

t.test('a directory is made whole, though its foreign keys slept meanwhile', async t => {
  const { url, superUrl, db } = await testDatabase(t)
  const { staff, samples } = await seedDirectory({ url, superUrl }, { tenants: 130, peopleEach: 11 })

  await withAdminClient(superUrl, async sql => {
    const [count] = await sql`
      select (select count(*)::int from tenants) as tenants, (select count(*)::int from users) as users,
        (select count(*)::int from memberships) as memberships, (select count(*)::int from membership_roles) as roles,
        (select count(*)::int from password_credentials) as credentials`
    // Beside them the platform and the first company with their one administrator.
    t.match(count, { tenants: 132, users: 1_431, memberships: 1_432, roles: 1_430 + 130 + 2, credentials: 144 })
    const [orphans] = await sql`
      select count(*)::int as count from (
        select from users u where not exists (select from tenants where id = u.tenant_id)
        union all
        select from memberships m where not exists (select from users u where u.id = m.user_id)
        union all
        select from password_credentials c
        where not exists (select from users u where u.tenant_id = c.tenant_id and u.id = c.user_id)
        union all
        select from membership_roles r
        where not exists (select from memberships m where m.tenant_id = r.tenant_id and m.id = r.membership_id)
          or not exists (select from roles o where o.tenant_id = r.tenant_id and o.id = r.role_id)
      ) as orphan`
    t.match(orphans, { count: 0 }, 'nothing refers to what is not there')
    const [role] = await sql`select current_setting('session_replication_role') as name`
    t.match(role, { name: 'origin' }, 'and triggers are awake again')
  })

  t.equal(samples.length, 64)
  t.equal(new Set(samples.map(({ keeper }) => keeper.tenantId)).size, 64, 'each of another tenant')
  for (const { tenantId, userId, sessionId } of [staff, ...samples.map(({ keeper }) => keeper)]) {
    const [actor] = await inTenant(
      db,
      tenantId,
      ({ sql }) => sql<{ permissions: string[] }[]>`
        select permissions from load_actor(${userId}, ${tenantId}, ${sessionId})`,
    )
    t.ok(actor?.permissions.includes('users:list'), 'whoever keeps a tenant is signed in and may')
  }
})
