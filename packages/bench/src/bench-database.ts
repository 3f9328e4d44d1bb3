/** The database of a part: an embedded server of its own on the load's core, or a new database on the server of DATABASE_URL. */

import { randomBytes } from 'node:crypto'
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { grantLogin, migrate, openDatabase, withAdminClient } from '@signet/db'
import type { Bench } from './bench.ts'
import { startWorker } from './worker.ts'
import type { DatabaseAnswer, DatabaseQuestion } from './workers/database.ts'

export interface BenchDatabase extends DatabaseAnswer, AsyncDisposable {}

export async function openBenchDatabase(bench: Bench): Promise<BenchDatabase> {
  const given = process.env['DATABASE_URL']
  if (given === undefined || given === '') return openServerOfItsOwn(bench)
  const database = await createDatabase(bench, given)
  await noteServer(bench, database)
  return database
}

/** Also where DATABASE_URL is set: for parts that do to a server what nobody would want done to theirs. */
export async function openServerOfItsOwn(bench: Bench): Promise<BenchDatabase> {
  const database = await startEmbeddedServer(bench)
  await noteServer(bench, database)
  return database
}

async function startEmbeddedServer(bench: Bench): Promise<BenchDatabase> {
  const folder = await mkdtemp(join(tmpdir(), 'signet-bench-'))
  // The server's account must be able to pass where the bench runs as root; the cluster inside is that account's alone.
  await chmod(folder, 0o755)
  const worker = startWorker<DatabaseQuestion, DatabaseAnswer>(bench, workerFile, bench.machine.loadCore)
  const dispose = async () => {
    await worker[Symbol.asyncDispose]()
    await rm(folder, { recursive: true, force: true })
  }
  try {
    return { ...(await worker.ask({ dataDir: join(folder, 'pg') })), [Symbol.asyncDispose]: dispose }
  } catch (error) {
    await dispose()
    throw error
  }
}

const workerFile = new URL('workers/database.ts', import.meta.url)

async function createDatabase(bench: Bench, given: string): Promise<BenchDatabase> {
  bench.note('PostgreSQL is the one of DATABASE_URL and is not pinned.')
  const name = `signet_bench_${randomBytes(6).toString('hex')}`
  const password = randomBytes(16).toString('hex')
  const superUrl = new URL(given)
  superUrl.pathname = `/${name}`
  const url = new URL(superUrl)
  url.username = name
  url.password = password
  const dispose = () =>
    withAdminClient(given, async sql => {
      await sql`drop database if exists ${sql(name)} with (force)`
      await sql`drop role if exists ${sql(name)}`
    })
  try {
    await withAdminClient(given, async sql => {
      await sql`create database ${sql(name)}`
      await sql.unsafe(`create role ${name} login nosuperuser nobypassrls password '${password}'`)
    })
    await migrate({ url: superUrl.href })
    await grantLogin(superUrl.href, name, ['signet_app'])
    return { url: url.href, superUrl: superUrl.href, [Symbol.asyncDispose]: dispose }
  } catch (error) {
    await dispose()
    throw error
  }
}

/** Figures that contain a commit mean nothing without how it was made safe. */
async function noteServer(bench: Bench, { superUrl }: DatabaseAnswer): Promise<void> {
  const db = openDatabase({ url: superUrl, max: 1 })
  try {
    const [server] = await db.sql<{ version: string; fsync: string; commits: string; buffers: string }[]>`
      select current_setting('server_version') as version, current_setting('fsync') as fsync,
        current_setting('synchronous_commit') as commits, current_setting('shared_buffers') as buffers`
    if (server === undefined) throw new Error('The server does not say what it is.')
    bench.note(
      `PostgreSQL ${server.version}, fsync ${server.fsync}, synchronous_commit ${server.commits}, shared_buffers ${server.buffers}`,
    )
  } finally {
    await db.close()
  }
}
