import { execFile } from 'node:child_process'
import { copyFile, mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { TenantId } from '@signet/kernel'
import { testDatabase } from '@signet/testkit'
import t from 'tap'
import {
  assertSafeSchema,
  checksumOf,
  grantLogin,
  inTenant,
  migrate,
  migrationsFolder,
  openDatabase,
  readMigrationFiles,
  runStatement,
  withAdminClient,
} from '../src/index.ts'

const { adminUrl, superUrl, url } = await testDatabase(t)
const base = new URL(adminUrl).pathname.slice(1)

/** A new, empty database that the owner owns. */
async function emptyDatabase(t: Tap, label: string): Promise<string> {
  const name = `${base}_${label}`
  const owner = decodeURIComponent(new URL(adminUrl).username)
  await withAdminClient(superUrl, sql => sql`create database ${sql(name)} owner ${sql(owner)}`)
  t.teardown(() => withAdminClient(superUrl, sql => sql`drop database ${sql(name)} with (force)`))
  const target = new URL(adminUrl)
  target.pathname = `/${name}`
  return target.href
}
type Tap = Pick<typeof t, 'teardown' | 'testdir'>

function superUrlTo(target: string): string {
  const to = new URL(superUrl)
  to.pathname = new URL(target).pathname
  return to.href
}

async function folderOf(t: Tap, files: Record<string, string>): Promise<string> {
  const folder = t.testdir({})
  await mkdir(folder, { recursive: true })
  for (const [name, sql] of Object.entries(files)) await writeFile(join(folder, name), sql)
  return folder
}

const two = {
  '0001_create_things.sql': 'create table things (id integer primary key);',
  '0002_fill_things.sql': 'insert into things values (1); insert into things values (2);',
}

t.test('migrations', async t => {
  await t.test('are applied once, in order, and told one by one', async t => {
    const target = await emptyDatabase(t, 'once')
    const folder = await folderOf(t, two)
    const steps: string[] = []
    const applied = await migrate({ url: target, folder, onStep: step => steps.push(step.name) })
    t.same(applied, ['0001_create_things', '0002_fill_things'])
    t.same(steps, applied)
    t.same(await migrate({ url: target, folder }), [], 'a second run has nothing to do')
    await writeFile(join(folder, '0003_add_name.sql'), 'alter table things add name text')
    t.same(await migrate({ url: target, folder }), ['0003_add_name'])
    const rows = await withAdminClient(
      target,
      sql => sql`select version, name, checksum from schema_migrations order by 1`,
    )
    t.same(
      rows,
      (await readMigrationFiles(folder)).map(({ version, name, checksum }) => ({ version, name, checksum })),
    )
  })

  await t.test('are applied once by four runners at a time', async t => {
    const target = await emptyDatabase(t, 'four')
    const folder = await folderOf(t, two)
    const runs = await Promise.all(Array.from({ length: 4 }, () => migrate({ url: target, folder })))
    t.same(runs.flat(), ['0001_create_things', '0002_fill_things'])
  })

  await t.test('are undone whole when a statement fails, and the line is told', async t => {
    const target = await emptyDatabase(t, 'fails')
    const folder = await folderOf(t, {
      ...two,
      '0003_break_things.sql': 'insert into things values (3);\ninsert into nothing values (3);',
    })
    await t.rejects(migrate({ url: target, folder }), /0003_break_things, line 2: relation "nothing" does not exist/)
    t.same(await withAdminClient(target, sql => sql`select id from things order by id`), [{ id: 1 }, { id: 2 }])
    await writeFile(join(folder, '0003_break_things.sql'), 'insert into things values (3);')
    t.same(
      await migrate({ url: target, folder }),
      ['0003_break_things'],
      'it was never applied, so it may be corrected',
    )
  })

  await t.test('wait for a table that is in use, and others do not wait for them', async t => {
    const target = await emptyDatabase(t, 'locked')
    const folder = await folderOf(t, two)
    await migrate({ url: target, folder })
    await writeFile(join(folder, '0003_alter_things.sql'), 'alter table things add name text')
    await withAdminClient(target, async long => {
      await long`begin`
      await long`select from things`
      await withAdminClient(target, async traffic => {
        let served = 10
        const servedAtWaits: number[] = []
        const waiting = migrate({ url: target, folder, onWait: () => servedAtWaits.push(served) })
        while (servedAtWaits.length < 2) {
          served += 1
          await traffic`insert into things values (${served})`
        }
        const [first = 0, second = 0] = servedAtWaits
        t.ok(first < second, `${second - first} between two attempts`)
        await long`commit`
        t.same(await waiting, ['0003_alter_things'])
      })
    })
  })

  await t.test(
    'that build an index concurrently let others write, and may be applied again after a failure',
    async t => {
      const target = await emptyDatabase(t, 'concurrent')
      const folder = await folderOf(t, two)
      await migrate({ url: target, folder })
      const index =
        '-- concurrently\ndrop index concurrently if exists things__id;\ncreate index concurrently things__id on things (id);\n'
      await writeFile(join(folder, '0003_index_things.sql'), `${index}select from nothing;\n`)
      await t.rejects(migrate({ url: target, folder }), /0003_index_things: relation "nothing" does not exist/)
      await writeFile(join(folder, '0003_index_things.sql'), index)
      await withAdminClient(target, async writer => {
        await writer`begin`
        await writer`insert into things values (3)`
        // The second runner waits for the first, which waits for the writer: neither for the other.
        const both = [migrate({ url: target, folder }), migrate({ url: target, folder })]
        await withAdminClient(target, async other => {
          let isWaiting = false
          while (!isWaiting) {
            const [row] = await other<{ yes: boolean }[]>`
            select exists (
              select from pg_stat_activity
              where datname = current_database() and wait_event_type = 'Lock' and query ~ 'index concurrently') as yes`
            isWaiting = row?.yes === true
          }
          await other`insert into things values (4)`
        })
        await writer`commit`
        t.same((await Promise.all(both)).flat(), ['0003_index_things'])
      })
      const [found] = await withAdminClient(
        target,
        sql => sql`select indisvalid as "isValid" from pg_index where indexrelid = 'things__id'::regclass`,
      )
      t.same(found, { isValid: true })
    },
  )

  await t.test('are refused when an applied file was edited, removed or renamed', async t => {
    const target = await emptyDatabase(t, 'history')
    const folder = await folderOf(t, two)
    await migrate({ url: target, folder })
    const second = join(folder, '0002_fill_things.sql')
    await writeFile(second, 'insert into things values (1);')
    await t.rejects(migrate({ url: target, folder }), {
      name: 'MigrationMismatchError',
      message: /0002_fill_things was edited/,
    })
    await writeFile(second, two['0002_fill_things.sql'].replaceAll(';', ';\r\n'))
    await t.rejects(migrate({ url: target, folder }), /was edited/)
    await rename(second, join(folder, '0002_fill_stuff.sql'))
    await t.rejects(migrate({ url: target, folder }), /0002_fill_things is applied here, but the file of that number/)
    await rm(join(folder, '0002_fill_stuff.sql'))
    await t.rejects(migrate({ url: target, folder }), /0002_fill_things is applied here, but there is no such file/)
  })

  await t.test('count a checkout with other line ends as the same file', async t => {
    const [unix, windows] = [
      { '0001_a_b.sql': 'select 1;\nselect 2;\n' },
      { '0001_a_b.sql': 'select 1;\r\nselect 2;\r\n' },
    ]
    const first = checksumOf(await readMigrationFiles(await folderOf(t, unix)))
    t.equal(checksumOf(await readMigrationFiles(await folderOf(t, windows))), first)
  })

  await t.test('are refused by name before anything is applied', async t => {
    const bad = [
      [{ '1_create_things.sql': '' }, /name it NNNN_verb_object/],
      [{ '0001_create.sql': '' }, /name it NNNN_verb_object/],
      [{ '0002_create_things.sql': '' }, /the number 0001 is next/],
      [{ '0001_create_things.sql': '', '0001_drop_things.sql': '' }, /the number 0002 is next/],
    ] as const
    for (const [files, message] of bad) await t.rejects(readMigrationFiles(await folderOf(t, files)), message)
  })
})

t.test('an installation of the first release keeps its data through every migration', async t => {
  const target = await emptyDatabase(t, 'upgraded')
  const folder = await folderOf(t, {})
  const names = (await readdir(migrationsFolder)).toSorted()
  const applyUpTo = async (last: number) => {
    for (const name of names.slice(0, last)) await copyFile(join(migrationsFolder, name), join(folder, name))
    return migrate({ url: target, folder })
  }
  // Numbers as the tables have had them since, of a year ago: before the month of any partition.
  const id = (number: number) => `019a0000-0000-7000-8000-${String(number).padStart(12, '0')}`
  const [platform, company, user, session, message] = [id(1), id(2), id(3), id(4), id(5)]
  const [leaf, successor] = [Buffer.alloc(32, 1), Buffer.alloc(32, 2)]

  await applyUpTo(6)
  await withAdminClient(target, async sql => {
    await sql`
      select bootstrap_installation(${platform}, ${company}, 'acme', 'Acme', ${user}, 'root@example.com', null, null, 'hash', null, null)`
    const opened = await sql`
      select roles from open_session(${session}, ${user}, ${company}, 'hash', ${leaf}, array['pwd'], '5 days', '30 days',
        'session.opened', null, null, null)`
    t.same(opened, [{ roles: ['admin'] }])
  })
  await applyUpTo(16)
  await withAdminClient(superUrlTo(target), async sql => {
    await sql`
      insert into outbound_messages (tenant_id, id, channel, recipient, template, payload)
      values (${company}, ${message}, 'email', 'root@example.com', 'sign-in-code', '')`
    await sql`insert into audit_events (tenant_id, id, action) values (${company}, ${id(6)}, 'old.event')`
  })
  await applyUpTo(names.length)

  const program = new URL(url)
  program.pathname = new URL(target).pathname
  await grantLogin(target, decodeURIComponent(program.username), ['signet_app'])
  const database = openDatabase({ url: program.href })
  t.teardown(() => database.close())
  await assertSafeSchema(database)
  await t.test('people sign in', async t => {
    const found = await runStatement(
      database,
      sql =>
        sql`select user_id, verdict from begin_sign_in('password', 'root@example.com', null, null, null, null, ${id(7)}, '')`,
    )
    t.same(found, [{ user_id: user, verdict: 'allowed' }])
  })
  await t.test('sessions are refreshed', async t => {
    const refreshed = await runStatement(
      database,
      sql => sql`
        select outcome from refresh_session(${session}, ${leaf}, ${successor}, '10 seconds', '5 days', null, null, null)`,
    )
    t.same(refreshed, [{ outcome: 'rotated' }])
  })
  await t.test('messages are delivered', async t => {
    const claimed = await runStatement(database, sql => sql`select id from claim_message('email', '1 minute')`)
    t.same(claimed, [{ id: message }])
    const settled = await runStatement(
      database,
      sql => sql`select settle_message(${company}, ${message}, 1, 'sent') as done`,
    )
    t.same(settled, [{ done: true }])
  })
  await t.test('events are there beside the new ones, each in the month of its id', async t => {
    const kept = await inTenant(
      database,
      company as TenantId,
      async ({ sql }) => sql<{ action: string }[]>`select action from audit_events order by id`,
    )
    t.same(
      kept.map(({ action }) => action),
      ['old.event', 'installation.bootstrapped', 'session.opened', 'token.refreshed'],
    )
    await runStatement(database, sql => sql`select make_partitions()`)
    const places = await withAdminClient(
      superUrlTo(target),
      sql => sql`select distinct tableoid::regclass::text as place from audit_events where tenant_id = ${company}`,
    )
    t.same(places, [{ place: 'partitions.audit_events_first' }])
  })
})

t.test('the migrator waits for a server that is not there, and not for one that refuses', async t => {
  const folder = await folderOf(t, two)
  await t.rejects(migrate({ url: 'postgres://nobody@127.0.0.1:9/none', folder, waitMs: 300 }), { code: 'ECONNREFUSED' })
  const missing = new URL(superUrl)
  missing.pathname = '/there_is_no_such_database'
  const startedAt = performance.now()
  await t.rejects(migrate({ url: missing.href, folder, waitMs: 20_000 }), { code: '3D000' })
  t.ok(performance.now() - startedAt < 5_000)
})

t.test('a login is granted its roles once, and the owner needs none', async t => {
  const login = decodeURIComponent(new URL(url).username)
  t.equal(await grantLogin(superUrl, login, ['signet_app']), true)
  t.equal(await grantLogin(superUrl, login, ['signet_app']), true)
  t.equal(await grantLogin(superUrl, decodeURIComponent(new URL(superUrl).username), ['signet_app']), false)
})

t.test('pnpm migrate', async t => {
  const run = async (args: string[], settings: Record<string, string>) => {
    const main = fileURLToPath(new URL('../src/main-migrate.ts', import.meta.url))
    const { PATH = '' } = process.env
    return promisify(execFile)(process.execPath, [main, ...args], { env: { PATH, ...settings } }).then(
      ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
      (error: { code: number; stdout: string; stderr: string }) => error,
    )
  }

  await t.test('explains itself', async t => {
    t.match(await run(['--help'], {}), { code: 0, stdout: /DATABASE_ADMIN_URL/ })
    t.match(await run(['--down'], {}), { code: 2, stderr: /There is no option --down/ })
  })

  await t.test('refuses without a database, and with one that it cannot read', async t => {
    t.match(await run([], { SIGNET_HOME: t.testdir() }), {
      code: 1,
      stderr: /DATABASE_ADMIN_URL or DATABASE_URL is needed/,
    })
    t.match(await run([], { DATABASE_URL: 'mysql://x', WAIT_FOR_DB: 'long' }), {
      code: 1,
      stderr: /WAIT_FOR_DB has to be/,
    })
    t.match(await run([], { DATABASE_URL: 'postgres://a:secret@127.0.0.1:9/x', WAIT_FOR_DB: '0' }), {
      code: 1,
      stderr: /Could not migrate.*ECONNREFUSED/,
    })
  })

  await t.test('migrates as the owner and lets the programs’ login work', async t => {
    const target = await emptyDatabase(t, 'cli')
    const login = new URL(url)
    login.pathname = new URL(target).pathname
    const first = await run([], { DATABASE_ADMIN_URL: target, DATABASE_URL: login.href })
    t.match(first, { code: 0, stdout: /applied {2}0001_create_roles/ }, first.stderr)
    t.match(first.stdout, /may work as signet_app and signet_places/)
    t.notMatch(first.stdout + first.stderr, new URL(target).password || 'password')
    t.match(await run([], { DATABASE_ADMIN_URL: target }), { code: 0, stdout: /Nothing to do/ })
  })
})
