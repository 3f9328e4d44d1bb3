/** What the audit knows, how it is read and exported, and that nobody the programs log in as can change it. */
import { inTenant, openDatabase, runStatement, withAdminClient } from '@signet/db'
import { newId } from '@signet/kernel'
import type { TestActor } from '@signet/testkit'
import t from 'tap'
import { exportEvents } from '../src/modules/audit/service.ts'
import { nameOf, routes } from './route-table.ts'
import { ableActor, prepareFor, send } from './walk.ts'
import { createWorld, internalKey } from './world.ts'

const world = await createWorld(t)
const { call, admin, member, other, company, cast, database, deps } = world

interface Event {
  readonly id: string
  readonly action: string
  readonly actor_id: string | null
  readonly actor_name: string | null
  readonly request_id: string | null
  readonly before: Record<string, unknown> | null
  readonly after: Record<string, unknown> | null
}
const list = async (query: string, who: TestActor = admin): Promise<Event[]> =>
  (await call(who, 'GET', `audit-events?${query}`)).body.items
const linesOf = (text: string): Event[] =>
  text
    .split('\n')
    .slice(0, -1)
    .map(line => JSON.parse(line))

/** Members of bodies and answers that are secrets. */
const secretNames = new Set(['password', 'temporary_password', 'key', 'token', 'access_token', 'refresh_token'])
function secretsIn(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([name, each]) =>
    secretNames.has(name) && typeof each === 'string' ? [each] : secretsIn(each),
  )
}

/** A picture is no member that has a value before and after: the action says it all. */
const picturesAlone = /\.(avatar|logo)-/

t.test('every route that changes something says what, as it was and as it is, and never a secret', async t => {
  const secrets = new Set([internalKey, ...[admin, member, world.staff].map(({ token }) => token)])
  for (const route of routes.filter(({ event }) => typeof event === 'string')) {
    const actor = ableActor(world, route)
    const prepared = await prepareFor(world, route, actor)
    const answer = await send(world, actor, route, prepared)
    for (const secret of [...secretsIn(prepared.body), ...secretsIn(answer.body)]) secrets.add(secret)
    const events = await list(`request_id=${String(answer.headers['x-request-id'])}`, actor)
    const event = events.find(({ action }) => action === route.event)
    t.ok(event, `${nameOf(route)} ${answer.status} ${route.event}`)
    if (event === undefined) continue
    const { before, after } = event
    if (!picturesAlone.test(event.action))
      t.ok(before !== null || after !== null, `${nameOf(route)} says what has changed`)
    if (route.method === 'PATCH') t.notSame(before, after, `${nameOf(route)} tells a difference`)
    t.equal(event.actor_id, actor.userId)
  }
  t.ok(secrets.size > 5, `${secrets.size} secrets`)
  const everything = await withAdminClient(
    database.superUrl,
    sql => sql<{ text: string }[]>`select to_jsonb(e)::text as text from audit_events e`,
  )
  for (const secret of secrets)
    t.notOk(
      everything.some(({ text }) => text.includes(secret)),
      'no secret stands in an event',
    )
})

t.test('events are found by who, what, where and when', async t => {
  const clerk = await cast.addActor(company, { permissions: ['roles:create', 'roles:modify', 'audit-events:list'] })
  await call(admin, 'PATCH', `users/${clerk.userId}`, { name: 'Clara Clerk' })
  const made = await call(clerk, 'POST', 'roles', { name: `role-${newId()}`, permissions: [] })
  const roleId = made.body.id
  await call(clerk, 'PATCH', `roles/${roleId}`, { description: 'x' }, { 'if-match': '*' })
  const actions = async (query: string) => (await list(query)).map(({ action }) => action)
  const both = ['role.modified', 'role.created']
  for (const query of [
    `target_id=${roleId}`,
    `target_type=role&actor_id=${clerk.userId}`,
    `action=role.*&actor_id=${clerk.userId}`,
    `session_id=${clerk.sessionId}&action=role.*`,
    `q=${roleId.slice(-12)}&target_type=role`,
  ])
    t.strictSame(await actions(query), both, query)
  t.strictSame(await actions(`action=role.created&target_id=${roleId}`), ['role.created'])
  t.strictSame(await actions(`request_id=${String(made.headers['x-request-id'])}`), ['role.created'])
  t.strictSame(await actions(`target_id=${roleId}&to=2020-01-01T00:00:00Z`), [])
  t.strictSame(await actions(`target_id=${roleId}&from=2020-01-01T00:00:00Z`), both)
  const [event] = await list(`target_id=${roleId}&action=role.created`)
  t.match(event, { actor_name: 'Clara Clerk', actor_id: clerk.userId })
  for (const bad of ['action=user_', 'action=%25', 'action=*', 'request_id=x', 'from=yesterday', 'actor_id=1'])
    t.match(await call(admin, 'GET', `audit-events?${bad}`), { status: 400, body: { code: 'invalid-input' } }, bad)
})

t.test('the name of whoever is at home elsewhere is not told here', async t => {
  const entered = await cast.signIn(world.staff, company)
  const { headers } = await call(entered, 'POST', 'roles', { name: `role-${newId()}`, permissions: [] })
  const [event] = await list(`request_id=${String(headers['x-request-id'])}`)
  t.match(event, { actor_id: world.staff.userId, actor_name: null })
})

t.test('an export', async t => {
  const target = newId()
  await inTenant(
    database.db,
    company,
    ({ sql }) => sql`
      insert into audit_events (tenant_id, id, action, target_type, target_id, after)
      select ${company}, gen_random_uuid(), 'thing.counted', 'thing', ${target}, jsonb_build_object('line', E'one\ntwo')
      from generate_series(1, 1201)`,
  )
  const path = `audit-events/export?target_id=${target}`

  await t.test('has every event once, a line each, in order', async t => {
    const answer = await call(admin, 'GET', path)
    t.match(answer.headers, { 'content-type': /^application\/x-ndjson/, 'cache-control': 'no-store' })
    const ids = linesOf(answer.text).map(({ id }) => id)
    t.equal(new Set(ids).size, 1_201)
    t.strictSame(ids, ids.toSorted())
    const backwards = linesOf((await call(admin, 'GET', `${path}&sort=-at`)).text).map(({ id }) => id)
    t.strictSame(backwards, ids.toReversed())
    t.equal((await call(admin, 'GET', `${path}&action=role.*`)).text, '')
  })

  await t.test('says what the list says', async t => {
    const [exported] = linesOf((await call(admin, 'GET', `${path}&sort=-at`)).text)
    const [listed] = await list(`target_id=${target}&limit=1`)
    t.strictSame(exported, listed)
  })

  await t.test('T-03 has no event of another tenant', async t => {
    const stranger = await cast.addActor(other, { roles: ['admin'] })
    t.equal((await call(stranger, 'GET', path)).text, '')
    t.match(await call(member, 'GET', path), { status: 403, body: { code: 'forbidden' } })
  })

  await t.test('holds no connection between its pages, and ends where the session does', async t => {
    const reader = await cast.addActor(company, { permissions: ['audit-events:list'] })
    const { userId, actingIn: tenantId, sessionId } = reader
    const caller = { userId, tenantId, sessionId, request: { id: newId(), ip: '192.0.2.1', userAgent: null } }
    const one = openDatabase({ url: database.url, max: 1 })
    t.teardown(() => one.close())
    const pages = exportEvents({ ...deps, db: one }, caller, { target_id: target, sort: 'at' })
    t.equal((await pages.next()).value?.length, 500)
    await inTenant(one, company, ({ sql }) => sql`select 1`)
    t.equal((await call(admin, 'POST', `users/${userId}/suspend`)).status, 200)
    await t.rejects(pages.next(), { code: 'session-ended' })
  })
})

t.test('nobody the programs log in as can change or remove an event, by any way', async t => {
  const count = () =>
    withAdminClient(database.superUrl, async sql => {
      const [row] = await sql<{ all: string }[]>`
        select count(*) || ' ' || md5(string_agg(to_jsonb(e)::text, '' order by tenant_id, id)) as all from audit_events e`
      return row?.all
    })
  const before = await count()
  const attempts = [
    `update audit_events set action = 'x'`,
    `update audit_events set actor_id = null where false`,
    `delete from audit_events`,
    `delete from only audit_events where false`,
    `truncate audit_events`,
    `truncate tenants cascade`,
    `insert into audit_events (tenant_id, id, action) select tenant_id, id, 'x' from audit_events limit 1
      on conflict (tenant_id, id) do update set action = 'x'`,
    `merge into audit_events e using audit_events s on e.id = s.id when matched then delete`,
    `select * from audit_events for update`,
    `lock table audit_events in access exclusive mode`,
    `drop table audit_events`,
    `alter table audit_events disable trigger all`,
    `alter table audit_events disable row level security`,
    `alter table audit_events rename to old_events`,
    `alter table audit_events add column x text`,
    `alter table audit_events detach partition audit_events`,
    `create table late_events partition of audit_events default`,
    `create table late_events () inherits (audit_events)`,
    `create rule quiet as on insert to audit_events do instead nothing`,
    `create trigger quiet before insert on audit_events for each row execute function suppress_redundant_updates_trigger()`,
    `create policy open on audit_events using (true)`,
    `drop policy tenant_isolation on audit_events`,
    `alter table audit_events owner to current_user`,
    `set session_replication_role = replica`,
    `set role signet_system`,
    `set session authorization signet_system`,
    `alter role signet_app bypassrls`,
  ]
  for (const statement of attempts) {
    const denied = { code: /^(42501|42809|42P01|42P17|25P01)$/ }
    await t.rejects(
      inTenant(database.db, company, async ({ sql }) => sql.unsafe(statement)),
      denied,
      `signet_app: ${statement}`,
    )
    await t.rejects(
      runStatement(database.db, sql => sql.unsafe(statement)),
      denied,
      `the login itself: ${statement}`,
    )
  }
  t.equal(await count(), before, 'all is as it was')
})

t.test('the owner of the functions may add events and no more', async t => {
  // Whoever owns nothing gets a warning for this, and gives nothing.
  await runStatement(database.db, sql => sql.unsafe('grant update, delete on audit_events to signet_app'))
  const rights = await withAdminClient(
    database.superUrl,
    sql => sql<{ role: string; rights: string }[]>`
      select r.rolname as role, string_agg(p.name, ' ' order by p.name) as rights
      from pg_roles r, unnest(array['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'REFERENCES', 'TRIGGER']) as p (name)
      where r.rolname in ('signet_app', 'signet_system', 'signet_places')
        and (has_table_privilege(r.oid, 'audit_events', p.name)
          or (p.name in ('SELECT', 'INSERT', 'UPDATE') and has_any_column_privilege(r.oid, 'audit_events', p.name)))
      group by r.rolname order by r.rolname`,
  )
  t.strictSame(
    [...rights],
    [
      { role: 'signet_app', rights: 'INSERT SELECT' },
      { role: 'signet_system', rights: 'INSERT' },
    ],
  )
})
