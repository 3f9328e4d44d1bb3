/** Decisions know roles by name: a role of a tenant's own making that is called as the platform's staff would pass for them. */
import { readFileSync } from 'node:fs'
import { inTenant, withAdminClient } from '@signet/db'
import { newId } from '@signet/kernel'
import t from 'tap'
import { createWorld } from './world.ts'

const { admin, staff, company, platform, database, call } = await createWorld(t)

const reserved = { status: 409, body: { code: 'role-name-taken', detail: /super_admin/ } }
const spellings = ['super_admin', 'Super_Admin', 'SUPER_ADMIN']

t.test('no tenant makes a role that is called super_admin', async t => {
  for (const name of spellings) t.match(await call(admin, 'POST', 'roles', { name }), reserved, name)
  t.match(await call(staff, 'POST', 'roles', { name: 'Super_admin' }), reserved, 'the platform has one')
})

t.test('nor renames one to it', async t => {
  const { id } = (await call(admin, 'POST', 'roles', { name: 'upstart' })).body
  for (const name of spellings) {
    t.match(await call(admin, 'PATCH', `roles/${id}`, { name }, { 'if-match': '*' }), reserved, name)
  }
  t.match(await call(admin, 'GET', `roles/${id}`), { status: 200, body: { name: 'upstart' } })
})

t.test('an import makes no role, and finds none of the platform', async t => {
  const line = JSON.stringify({ email: 'imported@example.test', roles: ['super_admin'] })
  const answer = await call(admin, 'POST', 'users/import', line, { 'content-type': 'application/x-ndjson' })
  t.equal(answer.status, 200)
  t.match(answer.text, /"status":"failed"/)
})

t.test('the database itself refuses it, whichever path leads there', async t => {
  const insert = inTenant(
    database.db,
    company,
    ({ sql }) => sql`insert into roles (tenant_id, id, name) values (${company}, ${newId()}, 'super_ADMIN')`,
  )
  await t.rejects(insert, { message: /roles__reserved_name/ })
})

t.test('a role that was called so before is renamed, and keeps its people', async t => {
  const migration = readFileSync(new URL('../../../drizzle/0030_announce_changes.sql', import.meta.url), 'utf8')
  const from = migration.indexOf('ALTER TABLE roles NO FORCE')
  const renaming = migration.slice(from, migration.indexOf('REVOKE CREATE', from))
  await withAdminClient(database.superUrl, async sql => {
    const id = newId()
    await sql`begin`
    await sql`alter table roles drop constraint roles__reserved_name`
    await sql`insert into roles (tenant_id, id, name) values (${company}, ${id}, 'Super_Admin')`
    await sql.unsafe(renaming)
    const rows = await sql`select tenant_id, name, holds from roles where name ilike '%super_admin%' order by holds`
    await sql`rollback`
    t.match(rows, [
      { tenant_id: platform, name: 'super_admin', holds: 'all' },
      { tenant_id: company, name: `custom Super_Admin ${id}` },
    ])
  })
})
