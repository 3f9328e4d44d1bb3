/**
 * One database per test file, cloned from a template that has every migration. The template is named after the migrations'
 * checksum: an edited file makes a new one.
 */

import { randomBytes } from 'node:crypto'
import {
  type AdminSql,
  checksumOf,
  type Database,
  grantLogin,
  migrate,
  openDatabase,
  readMigrationFiles,
  withAdminClient,
} from '@signet/db'
import { findTestServer, type TestServer } from './test-server.ts'

/** What this needs of a tap test. */
export interface TestScope {
  comment(text: string): void
  fail(message: string): unknown
  teardown(work: () => Promise<void>): void
}

export interface TestDatabase {
  /** As the programs see it: no superuser, owner of nothing, a member of `signet_app`. */
  readonly db: Database
  /** The programs' login. */
  readonly url: string
  /** The login that migrates and owns the tables. */
  readonly adminUrl: string
  /** A superuser of the server, for what only it may do (ending others' connections, planting faults). */
  readonly superUrl: string
}

/** Gives an empty database with every migration; it is dropped when the test `t` ends. */
export async function testDatabase(t: TestScope): Promise<TestDatabase> {
  const server = await findTestServer()
  const template = await ensureTemplate(server)
  const name = `signet_test_${Math.floor(Date.now() / 1000)}_${randomBytes(4).toString('hex')}`
  const password = randomBytes(12).toString('hex')
  await withAdminClient(server.superUrl, async sql => {
    const owner = decodeURIComponent(new URL(server.adminUrl).username)
    await sql`create database ${sql(name)} template ${sql(template)} owner ${sql(owner)}`
    await sql.unsafe(`create role ${name} login nosuperuser nobypassrls password '${password}'`)
  })
  await grantLogin(server.superUrl, name, ['signet_app'])
  const url = urlTo(server.superUrl, name, { login: name, password })
  const db = openDatabase({ url, applicationName: name })
  t.comment(`database ${name} on ${server.place}`)
  t.teardown(async () => {
    await db.close()
    await withAdminClient(server.superUrl, async sql => {
      await sql`drop database if exists ${sql(name)} with (force)`
      await sql`drop role if exists ${sql(name)}`
    })
  })
  return { db, url, adminUrl: urlTo(server.adminUrl, name), superUrl: urlTo(server.superUrl, name) }
}

const templateLock = 7_346_581_904

/** Made under another name and renamed: a template that was interrupted is never used. */
async function ensureTemplate(server: TestServer): Promise<string> {
  const template = `signet_template_${checksumOf(await readMigrationFiles()).slice(0, 12)}`
  await withAdminClient(server.superUrl, async sql => {
    await sql`select pg_advisory_lock(${templateLock})`
    const [found] = await sql`select 1 from pg_database where datname = ${template}`
    if (found !== undefined) return
    await dropLeftovers(sql)
    const draft = `${template}_draft`
    const owner = decodeURIComponent(new URL(server.adminUrl).username)
    await sql`drop database if exists ${sql(draft)} with (force)`
    await sql`create database ${sql(draft)} owner ${sql(owner)}`
    await migrate({ url: urlTo(server.adminUrl, draft) })
    await sql`alter database ${sql(draft)} rename to ${sql(template)}`
  })
  return template
}

/** A killed run drops nothing: what is older than an hour is nobody's any more, nor are the templates of past days. */
async function dropLeftovers(sql: AdminSql): Promise<void> {
  const templates = await sql<{ name: string }[]>`
    select datname as name from pg_database
    where datname ~ '^signet_template_[0-9a-f]+$'
      and (pg_stat_file('base/' || oid || '/PG_VERSION')).modification < now() - interval '1 day'`
  for (const { name } of templates) await sql`drop database if exists ${sql(name)}`
  const oldest = Math.floor(Date.now() / 1000) - 3600
  const leftovers = await sql<{ name: string }[]>`
    select datname as name from pg_database
    where datname ~ '^signet_test_[0-9]+_' and split_part(datname, '_', 3)::bigint < ${oldest}`
  for (const { name } of leftovers) {
    await sql`drop database if exists ${sql(name)} with (force)`
    await sql`drop role if exists ${sql(name)}`
  }
}

function urlTo(server: string, database: string, as?: { login: string; password: string }): string {
  const url = new URL(server)
  url.pathname = `/${database}`
  if (as !== undefined) {
    url.username = as.login
    url.password = as.password
  }
  return url.href
}
