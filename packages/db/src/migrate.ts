/**
 * Brings a database forward, file by file, each in a transaction of its own; never back. One runner at a time works, the
 * others wait for it. A file never waits long for a lock, since everybody else waits behind it: it steps back and tries
 * again. The runner refuses a history that does not match the files: an applied file that was edited, one that is
 * missing, or one that it does not know.
 */

import { setTimeout as pause } from 'node:timers/promises'
import type postgres from 'postgres'
import { waitForDatabase, withAdminClient } from './admin-client.ts'
import { findPostgresError } from './database-faults.ts'
import { type MigrationFile, readMigrationFiles } from './migration-files.ts'

interface MigrateOptions {
  /** The login that owns the tables. Direct, not through a pooler: the runner holds a session lock. */
  readonly url: string
  /** Of the migrations; those of this tree where it is not given. */
  readonly folder?: string
  /** How long to wait for a server that is starting. Default 30,000. */
  readonly waitMs?: number
  readonly onStep?: (step: MigrationStep) => void
  /** Called before each pause: a transaction holds a lock that the file needs. */
  readonly onWait?: (wait: MigrationWait) => void
}

interface MigrationStep {
  readonly name: string
  readonly durationMs: number
}

interface MigrationWait {
  readonly name: string
  readonly attempt: number
  readonly pauseMs: number
}

/** The history in the database and the files do not belong together. */
class MigrationMismatchError extends Error {
  override readonly name = 'MigrationMismatchError'
}

/** The same for every database of this product: advisory locks are kept per database. */
const lockKey = 7_346_581_902

/** Gives the names that were applied now, oldest first; none when the database was up to date. */
export async function migrate(options: MigrateOptions): Promise<string[]> {
  const files = await readMigrationFiles(options.folder)
  await waitForDatabase(options.url, options.waitMs ?? 30_000)
  return withAdminClient(options.url, async sql => {
    await takeTurn(sql)
    const pending = await findPending(sql, files)
    for (const file of pending) {
      const startedAt = performance.now()
      await applyPatiently(sql, file, options.onWait)
      options.onStep?.({ name: file.name, durationMs: performance.now() - startedAt })
    }
    return pending.map(file => file.name)
  })
}

/** Waits for whoever migrates now, however long that takes: one statement after the other stays without a limit. */
async function takeTurn(sql: postgres.ReservedSql): Promise<void> {
  await sql`select set_config('statement_timeout', '0', false), set_config('client_min_messages', 'warning', false)`
  // From 16 on whoever creates a role may not become it, unless this says so; the working roles own functions.
  await sql`
    select set_config(name, 'set, inherit', false) from pg_settings where name = 'createrole_self_grant'`
  // Asked again and again: whoever waits inside a statement is waited for by indexes that are built concurrently.
  while (!(await tryLock(sql))) await pause(200)
  await sql`
    create table if not exists schema_migrations (
      version integer not null,
      name text not null,
      checksum text not null,
      applied_at timestamptz not null default now(),
      constraint schema_migrations__version primary key (version)
    )`
}

async function tryLock(sql: postgres.ReservedSql): Promise<boolean> {
  const [row] = await sql<{ isOurs: boolean }[]>`select pg_try_advisory_lock(${lockKey}) as "isOurs"`
  return row?.isOurs === true
}

async function findPending(sql: postgres.ReservedSql, files: readonly MigrationFile[]): Promise<MigrationFile[]> {
  const applied = await sql<{ version: number; name: string; checksum: string }[]>`
    select version, name, checksum from schema_migrations order by version`
  for (const [index, { version, name, checksum }] of applied.entries()) {
    const file = files[index]
    if (file === undefined || version !== file.version) {
      throw new MigrationMismatchError(
        `${name} is applied here, but there is no such file. This program is older than the database, or the file was removed: use the newer program, or restore the file.`,
      )
    }
    if (name !== file.name) {
      throw new MigrationMismatchError(
        `${name} is applied here, but the file of that number is ${file.name}. Give the new migration the next free number.`,
      )
    }
    if (checksum !== file.checksum) {
      throw new MigrationMismatchError(
        `${name} was edited after it had been applied. Restore the file and write the change as a new migration.`,
      )
    }
  }
  return files.slice(applied.length)
}

/** A table in use must not queue everybody behind the migration: give up soon, let them pass, try again. */
const lockTimeoutMs = 500
const firstPauseMs = 250
const longestPauseMs = 5_000
/** A quarter of an hour: longer than any transaction of ours, shorter than an operator's patience. */
const lockAttempts = 180

async function applyPatiently(
  sql: postgres.ReservedSql,
  file: MigrationFile,
  onWait: MigrateOptions['onWait'],
): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await (file.isConcurrent ? applyConcurrently(sql, file) : applyOnce(sql, file))
    } catch (error) {
      const answer = findPostgresError(error)
      const passing = answer?.code === '55P03' || answer?.code === '40P01'
      if (!passing || attempt === lockAttempts) throw describeFailure(file, error)
    }
    const pauseMs = Math.min(firstPauseMs * 2 ** (attempt - 1), longestPauseMs)
    onWait?.({ name: file.name, attempt, pauseMs })
    await pause(pauseMs)
  }
}

/** Statement by statement. Its locks let everybody else work, so that it may wait for them. */
async function applyConcurrently(sql: postgres.ReservedSql, file: MigrationFile): Promise<void> {
  for (const statement of file.sql.split(/;$/m)) await sql.unsafe(statement).simple()
  await noteApplied(sql, file)
}

async function applyOnce(sql: postgres.ReservedSql, file: MigrationFile): Promise<void> {
  await sql`begin`
  try {
    await sql`select set_config('lock_timeout', ${String(lockTimeoutMs)}, true)`
    await sql.unsafe(file.sql).simple()
    await noteApplied(sql, file)
    await sql`commit`
  } catch (error) {
    await sql`rollback`.catch(() => undefined)
    throw error
  }
}

async function noteApplied(sql: postgres.ReservedSql, { version, name, checksum }: MigrationFile): Promise<void> {
  await sql`insert into schema_migrations (version, name, checksum) values (${version}, ${name}, ${checksum})`
}

function describeFailure(file: MigrationFile, error: unknown): unknown {
  const answer = findPostgresError(error)
  if (answer === undefined) return error
  // A concurrent file is sent statement by statement, and positions count from the statement's beginning.
  const line =
    answer.position === undefined || file.isConcurrent
      ? ''
      : `, line ${file.sql.slice(0, Number(answer.position)).split('\n').length}`
  return new Error(`Migration ${file.name}${line}: ${answer.message}`, { cause: error })
}
