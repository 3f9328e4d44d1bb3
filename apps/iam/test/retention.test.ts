/** What is over leaves by time, and nothing else does: rows in batches, audit events and messages by whole months. */
import { runStatement, type Statements, withAdminClient } from '@signet/db'
import type { UserId } from '@signet/kernel'
import t, { type Test } from 'tap'
import { dropPartitions, makePartitions, removeExpired, renewStatusList } from '../src/modules/retention/repo.ts'
import { startRetention } from '../src/modules/retention/service.ts'
import { testApp, type Tokens } from './test-app.ts'
import { until } from './verifier-callers.ts'

const a = await testApp(t)
const { db } = a.database
const { company } = a
const email = 'person@example.com'
const userId = (await a.register({ email })).id as UserId

interface LogLine {
  readonly level: 'info' | 'warn'
  // oxlint-disable-next-line typescript/no-explicit-any -- the facts of all lines; tests compare every member they read
  readonly facts: any
}

function clean(t: Test) {
  const log: LogLine[] = []
  const note = (level: LogLine['level']) => (facts: object) => void log.push({ level, facts })
  const retention = startRetention({
    database: db,
    auditDays: 400,
    log: { info: note('info'), warn: note('warn') },
    timing: { roundMs: 10, pauseMs: 1 },
  })
  t.teardown(() => retention.stop())
  return { log, stop: () => retention.stop() }
}

async function count(table: string, where = 'true'): Promise<number> {
  const [row] = await a.asOwner(
    sql => sql<{ count: number }[]>`select count(*)::int as count from ${sql.unsafe(table)} where ${sql.unsafe(where)}`,
  )
  return row?.count ?? 0
}

const draw = (list: number) =>
  a.asOwner(sql => sql`select setval('status_index_draws', ${Math.max(1, (list - 1) * 65_536)}, false)`)
const sessionOf = ({ access_token }: Tokens): string =>
  JSON.parse(Buffer.from(access_token.split('.')[1] ?? '', 'base64url').toString()).sid

/** Rows of a table by how long ago their end was, or by what else keeps them. */
const rows: Readonly<
  Record<string, { over: string[]; kept: string[]; insert: (age: string) => (sql: Statements) => unknown }>
> = {
  otp_challenges: {
    over: ['25 hours'],
    kept: ['23 hours', '-5 minutes'],
    insert: age => sql =>
      sql`
      insert into otp_challenges (tenant_id, id, purpose, subject, channel, destination, code_hash, max_attempts, expires_at)
      values (${company}, new_id(), 'sign-in', new_id(), 'email', 'a@example.com', '', 5, now() - ${age}::interval)`,
  },
  client_tokens: {
    over: ['31 days'],
    kept: ['29 days', '-5 minutes'],
    insert: age => sql =>
      sql`
      insert into client_tokens (tenant_id, id, kind, advisor_id, invited_email, token_hash, expires_at)
      values (${company}, new_id(), 'invitation', ${userId}, 'b@example.com', uuid_send(new_id()), now() - ${age}::interval)`,
  },
  idempotency_keys: {
    over: ['25 hours'],
    kept: ['23 hours'],
    insert: age => sql =>
      sql`
      insert into idempotency_keys (tenant_id, user_id, key, fingerprint, created_at)
      values (${company}, ${userId}, new_id()::text, '', now() - ${age}::interval)`,
  },
  known_devices: {
    over: ['401 days'],
    kept: ['399 days'],
    insert: age => sql =>
      sql`
      insert into known_devices (tenant_id, user_id, fingerprint, last_used_at)
      values (${company}, ${userId}, uuid_send(new_id()), now() - ${age}::interval)`,
  },
}

t.test('what is over is removed, and what is not stays', async t => {
  const before: Record<string, number> = {}
  for (const [table, { over, kept, insert }] of Object.entries(rows)) {
    before[table] = await count(table)
    for (const age of [...over, ...kept]) await a.asOwner(async sql => void (await insert(age)(sql)))
  }
  const { log, stop } = clean(t)
  await until(() => log.some(line => 'removed' in line.facts), 'the removal')
  await stop()
  for (const [table, { over, kept }] of Object.entries(rows)) {
    t.equal(await count(table), (before[table] ?? 0) + kept.length, table)
    t.equal(log[log.length - 1]?.facts.removed[table], over.length, `${table}, as the log says`)
  }
})

t.test('turns within a window go after a day, failures in a row after ninety, and a lock stays longer', async t => {
  const counters = [
    ['sign-in.account.day', 1, '25 hours', false],
    ['sign-in.account.day', 1, '23 hours', true],
    ['password', 99, '91 days', false],
    ['password', 99, '89 days', true],
    ['password', 100, '399 days', true],
    ['password', 100, '401 days', false],
  ] as const
  for (const [kind, failures, age] of counters) {
    await a.asOwner(
      sql => sql`
        insert into account_counters (tenant_id, subject, kind, failures, window_started_at)
        values (${company}, new_id(), ${kind}, ${failures}, now() - ${age}::interval)`,
    )
  }
  t.equal(await removeExpired(db, 'turns'), 1)
  t.equal(await removeExpired(db, 'failures'), 2)
  for (const [kind, failures, age, stays] of counters) {
    const found = await count(
      'account_counters',
      `kind = '${kind}' and failures = ${failures} and abs(extract(epoch from now() - interval '${age}' - window_started_at)) < 600`,
    )
    t.equal(found > 0, stays, `${kind}, ${failures} failures, ${age}`)
  }
})

t.test('a session', async t => {
  const tokens = await a.signIn(email)
  const id = sessionOf(tokens)
  const age = (interval: string) =>
    a.asOwner(sql => sql`update sessions set expires_at = now() - ${interval}::interval where id = ${id}`)
  const listed = () =>
    runStatement(db, sql => sql<{ list: string }[]>`select l as list from live_status_lists('1 day') l`)

  await t.test('stays while a token of it may live', async t => {
    await age('23 hours')
    await draw(3)
    t.equal(await removeExpired(db, 'sessions'), 0)
    t.equal((await listed())[0]?.list, '1', 'and its list is served')
  })
  await t.test('stays while its index could be drawn again', async t => {
    await age('25 hours')
    await draw(1)
    t.equal(await removeExpired(db, 'sessions'), 0, 'by sign-ins to come')
    await draw(2)
    t.equal(await removeExpired(db, 'sessions'), 0, 'by one that has drawn already and not committed yet')
  })
  await t.test('leaves then, with its refresh token, and the list with the last of its sessions', async t => {
    await draw(3)
    t.equal(await removeExpired(db, 'sessions'), 1)
    t.equal(await count('refresh_tokens', `session_id = '${id}'`), 0)
    t.match(await a.post('/api/v1/tokens/refresh', { refresh_token: tokens.refresh_token }), { status: 401 })
    const [membership] = await a.asOwner(
      sql => sql`select last_sign_in_at is not null as "isNoted" from memberships where user_id = ${userId}`,
    )
    t.same(membership, { isNoted: true }, 'when it was begun stays known')
    t.same(await listed(), [{ list: '3' }])
    t.equal((await a.app.inject('/status-lists/1')).statusCode, 404)
  })
})

t.test('a list is drawn from for a month', async t => {
  await draw(5)
  const id = sessionOf(await a.signIn(email))
  await renewStatusList(db)
  const current = async () =>
    (await a.asOwner(sql => sql<{ list: string }[]>`select current_status_list() as list`))[0]?.list
  t.equal(await current(), '5')
  await a.asOwner(sql => sql`delete from refresh_tokens where session_id = ${id}`)
  await a.asOwner(sql => sql`update sessions set id = first_id_of(now() - interval '31 days') where id = ${id}`)
  await renewStatusList(db)
  t.equal(await current(), '6')
  await renewStatusList(db)
  t.equal(await current(), '6', 'the new one is not old')
  const [session] = await a.asOwner(
    async sql =>
      sql<{ list: string }[]>`select status_list as list from sessions where id = ${sessionOf(await a.signIn(email))}`,
  )
  t.equal(session?.list, '6')
})

t.test('a batch', async t => {
  await a.asOwner(
    sql => sql`
      insert into idempotency_keys (tenant_id, user_id, key, fingerprint, created_at)
      select ${company}, ${userId}, 'batch-' || n, '', now() - interval '2 days' from generate_series(1, 2500) n`,
  )
  await t.test('is a thousand rows, and waits for none that is in use', async t => {
    await withAdminClient(a.database.superUrl, async other => {
      await other`begin`
      await other`select from idempotency_keys where key = 'batch-1' for update`
      const removed: (number | undefined)[] = []
      for (let call = 0; call < 4; call += 1) removed.push(await removeExpired(db, 'idempotency_keys'))
      t.same(removed, [1_000, 1_000, 499, 0])
      await other`commit`
    })
    t.equal(await removeExpired(db, 'idempotency_keys'), 1)
  })
  await t.test('is one node’s at a time', async t => {
    await withAdminClient(a.database.superUrl, async other => {
      await other`begin`
      await other`select may_clean()`
      t.equal(await removeExpired(db, 'idempotency_keys'), undefined)
      t.same(await makePartitions(db), [])
      await other`rollback`
    })
    t.equal(await removeExpired(db, 'idempotency_keys'), 0)
  })
  await t.test('cannot take a row of any tenant that is still good for something', async t => {
    await a.signIn(email)
    for (const { kept, insert } of Object.values(rows))
      for (const age of kept) await a.asOwner(async sql => void (await insert(age)(sql)))
    await withAdminClient(a.database.superUrl, async sql => {
      await sql`begin`
      await sql`set local role signet_system`
      for (const table of ['sessions', ...Object.keys(rows)]) {
        t.equal((await sql`delete from ${sql(table)}`).count, 0, table)
      }
      await sql`rollback`
    })
  })
})

t.test('two nodes remove each row once', async t => {
  await a.asOwner(
    sql => sql`
      insert into idempotency_keys (tenant_id, user_id, key, fingerprint, created_at)
      select ${company}, ${userId}, 'twice-' || n, '', now() - interval '2 days' from generate_series(1, 5000) n`,
  )
  const nodes = [clean(t), clean(t)]
  await until(async () => (await count('idempotency_keys', `key like 'twice-%'`)) === 0, 'the removal')
  for (const node of nodes) await node.stop()
  const removed = nodes.flatMap(({ log }) => log.map(({ facts }) => facts.removed?.idempotency_keys ?? 0))
  t.equal(
    removed.reduce((sum, each) => sum + each, 0),
    5_000,
  )
})

t.test('a round that fails is told, and the next one goes on', async t => {
  await a.asOwner(sql => sql`alter function begin_status_list() rename to begin_no_list`)
  const { log, stop } = clean(t)
  await until(() => log.some(({ level }) => level === 'warn'), 'the failure')
  await a.asOwner(sql => sql`alter function begin_no_list() rename to begin_status_list`)
  await a.asOwner(async sql => void (await rows['idempotency_keys']?.insert('2 days')(sql)))
  await until(() => log.some(({ facts }) => facts.removed?.idempotency_keys === 1), 'a round that works')
  await stop()
})

t.test('months', async t => {
  const partitions = () =>
    a.asOwner(
      sql => sql<{ table: string; name: string }[]>`
        select i.inhparent::regclass::text as table, c.relname as name
        from pg_inherits i join pg_class c on c.oid = i.inhrelid
        where c.relkind = 'r' order by 1, pg_get_expr(c.relpartbound, c.oid) = 'DEFAULT', c.relname`,
    )
  const placeOf = async (table: string, id: string) => {
    const [row] = await a.asOwner(
      sql => sql<{ name: string }[]>`
        select c.relname as name from ${sql.unsafe(table)} e join pg_class c on c.oid = e.tableoid where e.id = ${id}`,
    )
    return row?.name
  }
  /** As the programs write it: through the parent, with the rights of signet_app. */
  const record = async (at: string) => {
    const [row] = await a.asOwner(sql => sql<{ id: string }[]>`select first_id_of(now() + ${at}::interval) as id`)
    const id = row?.id ?? ''
    await runStatement(
      db,
      sql => sql`
        with tenant as (select set_config('signet.tenant_id', ${company}, true) as id)
        insert into audit_events (tenant_id, id, action) select id::uuid, ${id}::uuid, 'test.recorded' from tenant`,
    )
    return id
  }

  await t.test('are made ahead, and once', async t => {
    await makePartitions(db)
    t.same(await makePartitions(db), [])
    const [bounds] = await a.asOwner(
      sql => sql<{ isAhead: boolean }[]>`
        select bool_and(exists (
          select from partitions_of(o.name) p where p.bound > first_id_of(now() + interval '2 months'))) as "isAhead"
        from unnest(array['audit_events', 'outbound_messages']) as o (name)`,
    )
    t.equal(bounds?.isAhead, true)
  })
  await t.test('that nobody has made yet refuse no event, which moves into its month when that is made', async t => {
    const late = await record('7 months')
    t.equal(await placeOf('audit_events', late), 'audit_events_rest')
    await a.asOwner(async sql => {
      // As after half a year without this program: a first month that ended long ago, and events in no month.
      const [{ end } = { end: '' }] = await sql<{ end: string }[]>`
        select first_id_of(date_trunc('month', now() - interval '17 months')) as end`
      for (const { table, name } of await partitions()) {
        if (name.endsWith('_rest')) continue
        await sql.unsafe(`create table kept as select * from partitions.${name}`)
        await sql.unsafe(`drop table partitions.${name}`)
        if (name.endsWith('_first')) {
          await sql.unsafe(`create table partitions.${name} (like ${table} including all)`)
          await sql.unsafe(
            `alter table ${table} attach partition partitions.${name} for values from (minvalue) to ('${end}')`,
          )
          await sql.unsafe(`alter table partitions.${name} owner to signet_partitions`)
        }
        await sql.unsafe(`insert into ${table} select * from kept; drop table kept`)
      }
    })
    const events = await count('audit_events')
    const old = await record('-500 days')
    const recent = await record('-1 day')
    t.equal(await placeOf('audit_events', old), 'audit_events_rest')
    const made = await makePartitions(db)
    t.ok(made.length >= 2 * 17, `${made.length} partitions`)
    t.match(await placeOf('audit_events', old), /^audit_events_\d{4}_\d\d$/)
    t.match(await placeOf('audit_events', recent), /^audit_events_\d{4}_\d\d$/)
    t.equal(await placeOf('audit_events', late), 'audit_events_rest', 'what is of no month yet stays')
    t.equal(await count('audit_events'), events + 2, 'none is lost')
  })
  await t.test('leave whole when they are past their retention', async t => {
    const old = await record('-500 days')
    const recent = await record('-370 days')
    const dropped = await dropPartitions(db, 'audit_events', 400)
    t.ok(dropped.length >= 2, dropped.join())
    t.equal(await placeOf('audit_events', old), undefined)
    t.match(await placeOf('audit_events', recent), /^audit_events_/)
    t.ok((await dropPartitions(db, 'outbound_messages', 30)).length > dropped.length, 'messages leave sooner')
    t.same(await dropPartitions(db, 'audit_events', 400), [])
  })
  await t.test('of the last thirty days stay, whoever asks', async t => {
    const recent = await record('-29 days')
    await dropPartitions(db, 'audit_events', -1_000)
    t.match(await placeOf('audit_events', recent), /^audit_events_/)
    t.equal((await runStatement(db, sql => sql`select drop_partitions('users', 400)`)).length, 0)
  })
  await t.test('are reached through their parents alone', async t => {
    for (const { name } of await partitions())
      await t.rejects(
        runStatement(db, sql => sql`select from ${sql.unsafe(`partitions.${name}`)}`),
        { code: '42501' },
        name,
      )
  })
})
