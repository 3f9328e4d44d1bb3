import { setTimeout as pause } from 'node:timers/promises'
import { newId, Problem, problem, type TenantId } from '@signet/kernel'
import { testDatabase } from '@signet/testkit'
import { eq } from 'drizzle-orm'
import { integer, pgTable, text, uuid } from 'drizzle-orm/pg-core'
import t from 'tap'
import {
  type Database,
  inTenant,
  openDatabase,
  runStatement,
  translateConstraint,
  withAdminClient,
} from '../src/index.ts'

const { db, url, adminUrl, superUrl } = await testDatabase(t)
const login = new URL(url).username
const [mine, other] = [newId<TenantId>(), newId<TenantId>()]

const notes = pgTable('notes', {
  tenantId: uuid('tenant_id').notNull(),
  id: integer().notNull(),
  body: text().notNull(),
})

await withAdminClient(adminUrl, async sql => {
  await sql.unsafe(`
    create table notes (tenant_id uuid not null, id integer not null, body text not null,
      constraint notes__tenant_id_id primary key (tenant_id, id));
    alter table notes enable row level security;
    alter table notes force row level security;
    create policy tenant_isolation on notes
      using (tenant_id = nullif(current_setting('signet.tenant_id', true), '')::uuid)
      with check (tenant_id = nullif(current_setting('signet.tenant_id', true), '')::uuid);
    create policy system_reads on notes for select to signet_system using (true);
    grant select, insert, update, delete on notes to signet_app;
    grant select on notes to signet_system;`)
})

/** What a connection looks like to the next user: nothing of anybody's work may be left. */
async function connectionState(database: Database): Promise<object | undefined> {
  const [row] = await database.sql`
    select current_user::text as role, coalesce(current_setting('signet.tenant_id', true), '') as tenant,
      current_setting('statement_timeout') as statement, current_setting('lock_timeout') as lock`
  return row
}
const clean = { role: login, tenant: '', statement: '0', lock: '0' }

async function codeOf(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => 'no error',
    (error: unknown) => (error instanceof Problem ? error.code : String(error)),
  )
}

t.test('work in a tenant', async t => {
  await inTenant(db, mine, tx => tx.sql`insert into notes values (${mine}, 1, 'mine'), (${mine}, 2, 'mine too')`)
  await inTenant(db, other, tx => tx.db.insert(notes).values({ tenantId: other, id: 1, body: 'other' }))

  await t.test('sees that tenant only, by tagged SQL and by Drizzle', async t => {
    t.same(await inTenant(db, mine, tx => tx.sql`select id from notes order by id`), [{ id: 1 }, { id: 2 }])
    t.same(await inTenant(db, other, tx => tx.db.select({ body: notes.body }).from(notes)), [{ body: 'other' }])
    t.same(await inTenant(db, other, tx => tx.db.select().from(notes).where(eq(notes.tenantId, mine))), [])
  })

  await t.test('cannot write into another', async t => {
    const intrusion = inTenant(db, mine, tx => tx.sql`insert into notes values (${other}, 9, 'intruder')`)
    await t.rejects(intrusion, { code: '42501' })
  })

  await t.test('runs under the limits of the database', async t => {
    const [limits] = await inTenant(
      db,
      mine,
      tx => tx.sql`
        select current_setting('statement_timeout') as statement, current_setting('lock_timeout') as lock,
          current_setting('idle_in_transaction_session_timeout') as idle`,
    )
    t.same(limits, { statement: '5s', lock: '2s', idle: '5s' })
  })

  await t.test('undoes everything when it throws', async t => {
    const failing = inTenant(db, mine, async tx => {
      await tx.sql`delete from notes`
      throw problem('user-not-found')
    })
    await t.rejects(failing, { code: 'user-not-found' })
    t.equal((await inTenant(db, mine, tx => tx.sql`select from notes`)).length, 2)
  })

  await t.test('says so when it swallowed the error of a statement', async t => {
    const swallowing = inTenant(db, mine, async tx => {
      await tx.sql`insert into notes values (${mine}, 3, 'lost')`
      await tx.sql`select 1 / 0`.catch(() => undefined)
    })
    await t.rejects(swallowing, /rolled back/)
    t.equal((await inTenant(db, mine, tx => tx.sql`select from notes`)).length, 2)
  })

  await t.test('refuses a second transaction inside', async t => {
    await t.rejects(
      inTenant(db, mine, () => inTenant(db, other, tx => tx.sql`select 1`)),
      TypeError,
    )
    await t.rejects(
      inTenant(db, mine, () => runStatement(db, sql => sql`select 1`)),
      TypeError,
    )
  })

  await t.test('allows a transaction that begins when the first has ended', async t => {
    let later: Promise<unknown> | undefined
    const gate = Promise.withResolvers<void>()
    await inTenant(db, mine, async () => {
      later = gate.promise.then(() => inTenant(db, mine, tx => tx.sql`select 1`))
    })
    gate.resolve()
    t.ok(await later)
  })

  await t.test('leaves a handle that is dead', async t => {
    const kept = await inTenant(db, mine, async tx => tx)
    await t.rejects(kept.sql`select 1`, { code: 'CONNECTION_RELEASED' })
    await t.rejects(kept.db.select().from(notes), { cause: { code: 'CONNECTION_RELEASED' } })
  })

  await t.test('gives dates, lists and JSON as values', async t => {
    const now = new Date('2026-01-02T03:04:05.678Z')
    const [row] = await inTenant(
      db,
      mine,
      tx => tx.sql`
        select ${now}::timestamptz as at, ${['a', 'b,"c']}::text[] as list, ${[mine]}::uuid[] as ids,
          ${tx.sql.json({ a: [1] })}::jsonb as json`,
    )
    t.same(row, { at: now, list: ['a', 'b,"c'], ids: [mine], json: { a: [1] } })
  })
})

t.test('a login that serves requests cannot become the role that owns the functions across tenants', async t => {
  await t.rejects(
    inTenant(db, mine, tx => tx.sql`select set_config('role', 'signet_system', true)`),
    { code: '42501' },
  )
})

t.test('one statement', async t => {
  await t.test('has the rights of signet_app, no tenant, and so no rows', async t => {
    const rows = await runStatement(
      db,
      sql => sql`
        select pg_has_role('signet_app', 'usage') as app, pg_has_role('signet_system', 'member') as system,
          coalesce(current_setting('signet.tenant_id', true), '') as tenant`,
    )
    t.same(rows, [{ app: true, system: false, tenant: '' }])
    t.same(await runStatement(db, sql => sql`select from notes`), [])
    await t.rejects(
      runStatement(db, sql => sql`insert into notes values (${mine}, 99, 'x')`),
      { code: '42501' },
    )
  })

  await t.test('is ended when the server does not answer in time', async t => {
    const small = openDatabase({ url, max: 1, statementTimeoutMs: 100 })
    await t.rejects(
      runStatement(small, sql => sql`select pg_sleep(5)`),
      { code: 'database-unavailable', status: 503 },
    )
    t.equal((await runStatement(small, sql => sql`select 1`)).length, 1, 'and the next one gets a connection')
    await small.close()
  })

  await t.test('tells its own error', async t => {
    await t.rejects(
      runStatement(db, sql => sql`select 1 / ${0}::integer`),
      { code: '22012' },
    )
    t.same(await connectionState(db), clean)
  })
})

t.test('a statement that fails after its first rows leaves none of them to the next on its connection', async t => {
  const small = openDatabase({ url, max: 1 })
  t.teardown(() => small.close())
  const fails = runStatement(small, sql => sql`select 6 / (3 - i) as answer from generate_series(1, 5) as i`)
  await t.rejects(fails, /division by zero/)
  const rows = await runStatement(small, sql => sql<{ answer: number }[]>`select 7 as answer`)
  t.strictSame([...rows], [{ answer: 7 }])
})

t.test('the name of a violated constraint becomes a problem, through either interface', async t => {
  const meanings = { notes__tenant_id_id: () => problem('membership-exists') }
  const tagged = inTenant(db, mine, tx => tx.sql`insert into notes values (${mine}, 1, 'again')`)
  const drizzled = inTenant(db, mine, tx => tx.db.insert(notes).values({ tenantId: mine, id: 1, body: 'again' }))
  for (const error of await Promise.all([tagged.catch(e => e), drizzled.catch(e => e)])) {
    t.match(translateConstraint(error, meanings), { code: 'membership-exists' })
    t.equal(translateConstraint(error, {}), error)
    t.equal(translateConstraint(error, { toString: meanings.notes__tenant_id_id }), error)
  }
})

t.test('waits end', async t => {
  await t.test('for a connection, after the acquire time', async t => {
    // Long enough to connect on a machine that others slow down.
    const small = openDatabase({ url, max: 1, acquireTimeoutMs: 600 })
    const gate = Promise.withResolvers<void>()
    const holder = inTenant(small, mine, () => gate.promise)
    const refused = await inTenant(small, mine, tx => tx.sql`select 1`).catch(error => error)
    t.match(refused, { code: 'database-unavailable', status: 503, retryAfterSeconds: 1 })
    const { waitedSeconds, ...load } = small.pool.load()
    t.same(load, { used: 1, waiting: 0, waits: 1, refused: 1 })
    t.ok(waitedSeconds >= 0.5 && waitedSeconds < 10, `${waitedSeconds} s`)
    gate.resolve()
    await holder
    t.equal((await inTenant(small, mine, tx => tx.sql`select 1`)).length, 1, 'and the next one gets it')
    await small.close()
  })

  await t.test('for a statement, a lock, and a transaction that does nothing', async t => {
    const hasty = openDatabase({ url, statementTimeoutMs: 80, lockTimeoutMs: 40, idleInTransactionTimeoutMs: 60 })
    t.equal(await codeOf(inTenant(hasty, mine, tx => tx.sql`select pg_sleep(5)`)), 'database-unavailable')
    const gate = Promise.withResolvers<void>()
    const locked = Promise.withResolvers<void>()
    const holder = inTenant(db, mine, async tx => {
      await tx.sql`update notes set body = 'held' where id = 1`
      locked.resolve()
      await gate.promise
    })
    await locked.promise
    t.equal(await codeOf(inTenant(hasty, mine, tx => tx.sql`update notes set body = 'x'`)), 'database-unavailable')
    gate.resolve()
    await holder
    const idle = inTenant(hasty, mine, async tx => {
      await tx.sql`select 1`
      await pause(150)
      return tx.sql`select 1`
    })
    t.equal(await codeOf(idle), 'database-unavailable')
    t.same(await connectionState(hasty), clean)
    await hasty.close()
  })

  await t.test('for work that hangs outside of the database', async t => {
    const hasty = openDatabase({ url, transactionTimeoutMs: 60, max: 1 })
    t.equal(await codeOf(inTenant(hasty, mine, () => new Promise(() => undefined))), 'database-unavailable')
    t.equal((await inTenant(hasty, mine, tx => tx.sql`select 1`)).length, 1, 'and the connection is replaced')
    await hasty.close()
  })

  await t.test('for a server that is not there', async t => {
    const nowhere = openDatabase({ url: 'postgres://nobody@127.0.0.1:9/none' })
    const startedAt = performance.now()
    const codes = await Promise.all(
      Array.from({ length: 30 }, () => codeOf(runStatement(nowhere, sql => sql`select 1`))),
    )
    t.same(new Set(codes), new Set(['database-unavailable']))
    t.ok(performance.now() - startedAt < 1_500, 'within a second')
    await nowhere.close()
  })
})

t.test('an error of another system inside the work is not the database’s', async t => {
  const foreign = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED', syscall: 'connect' })
  await t.rejects(
    inTenant(db, mine, () => Promise.reject(foreign)),
    foreign,
  )
})

t.test('D-01 every connection terminated mid-transaction, twenty rounds under load', async t => {
  const outcomes = new Map<string, number>()
  let slowestMs = 0
  const load = { isRunning: true }
  const worker = async () => {
    while (load.isRunning) {
      const startedAt = performance.now()
      const code = await codeOf(
        inTenant(db, mine, async tx => {
          await tx.sql`select pg_sleep(0.002)`
          await Promise.all([tx.sql`select count(*) from notes`, tx.db.select().from(notes)])
          await tx.sql`update notes set body = 'load' where id = 2`
        }),
      )
      slowestMs = Math.max(slowestMs, performance.now() - startedAt)
      outcomes.set(code, (outcomes.get(code) ?? 0) + 1)
    }
  }
  const workers = Array.from({ length: 20 }, worker)
  await withAdminClient(superUrl, async sql => {
    for (let round = 0; round < 20; round += 1) {
      let killed = 0
      while (killed < 5) {
        const rows = await sql`
          select pg_terminate_backend(pid) from pg_stat_activity where usename = ${login} and xact_start is not null`
        killed += rows.length
      }
      t.equal(await codeOf(inTenantPatiently(db)), 'no error', `round ${round + 1}: the next request works`)
    }
  })
  load.isRunning = false
  await Promise.all(workers)
  t.same([...outcomes.keys()].toSorted(), ['database-unavailable', 'no error'])
  t.ok(slowestMs < db.limits.transactionTimeoutMs, 'no statement was lost and left to the deadline')
  t.same(await connectionState(db), clean)
})

/** The request itself may be hit as well as any other: then it is told so, and the caller comes again. */
async function inTenantPatiently(database: Database): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    const code = await codeOf(inTenant(database, mine, tx => tx.sql`select 1`))
    if (code === 'no error') return
    if (code !== 'database-unavailable' || attempt === 5) throw new Error(code)
  }
}

t.test('D-05 deadlock and serialization: retried until it works, a bounded number of times', async t => {
  await t.test('two transactions that lock each other both succeed', async t => {
    let attempts = 0
    const both = [Promise.withResolvers<void>(), Promise.withResolvers<void>()] as const
    const lockInOrder = (first: number, second: number, me: 0 | 1) =>
      inTenant(db, mine, async tx => {
        attempts += 1
        await tx.sql`update notes set body = 'first' where id = ${first}`
        both[me].resolve()
        await both[1 - me]?.promise
        await tx.sql`update notes set body = 'second' where id = ${second}`
      })
    const patient = openDatabase({ url, lockTimeoutMs: 5_000 })
    t.same(await Promise.all([codeOf(lockInOrder(1, 2, 0)), codeOf(lockInOrder(2, 1, 1))]), ['no error', 'no error'])
    t.equal(attempts, 3)
    await patient.close()
  })

  await t.test('one that never succeeds ends as database-unavailable', async t => {
    let attempts = 0
    const hopeless = inTenant(db, mine, tx => {
      attempts += 1
      return tx.sql`do $$ begin raise exception 'conflict' using errcode = '40001'; end $$`
    })
    t.equal(await codeOf(hopeless), 'database-unavailable')
    t.equal(attempts, 3)
  })
})

t.test('T-07 two thousand mixed transactions of fifty tenants over five connections: no leak', async t => {
  const small = openDatabase({ url, max: 5, acquireTimeoutMs: 30_000 })
  const tenants = Array.from({ length: 50 }, () => newId<TenantId>())
  for (const tenant of tenants) {
    await inTenant(small, tenant, tx => tx.sql`insert into notes values (${tenant}, 1, ${tenant})`)
  }
  let leaks = 0
  const request = async (number: number) => {
    const tenant = tenants[number % tenants.length] ?? mine
    await inTenant(small, tenant, async tx => {
      const rows = number % 2 === 0 ? await tx.sql`select body from notes` : await tx.db.select().from(notes)
      if (rows.length !== 1 || rows[0]?.['body'] !== tenant) leaks += 1
      if (number % 7 === 0) await tx.sql`select 1 / 0`
      if (number % 11 === 0) throw problem('forbidden')
      if (number % 13 === 0) await tx.sql`insert into notes values (${tenant}, 1, 'double')`
    }).catch(() => undefined)
    if (number % 5 === 0 && (await small.sql`select from notes`.catch(() => [])).length > 0) leaks += 1
  }
  for (let batch = 0; batch < 2_000; batch += 50) {
    await Promise.all(Array.from({ length: 50 }, (_, index) => request(batch + index)))
  }
  t.equal(leaks, 0)
  for (let connection = 0; connection < 5; connection += 1) t.same(await connectionState(small), clean)
  await small.close()
})
