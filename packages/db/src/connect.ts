/**
 * One client for one PostgreSQL. Every wait ends: connecting, acquiring, a statement, a lock, an idle or a long
 * transaction, closing (HOUSE 4.12).
 */

import { PgDialect } from 'drizzle-orm/pg-core'
import { PostgresJsDatabase, PostgresJsSession } from 'drizzle-orm/postgres-js'
import postgres from 'postgres'
import { type ConnectionPool, createPool } from './connection-pool.ts'

interface DatabaseOptions {
  /** `postgres://login:password@host:port/database`, also through PgBouncer in transaction mode. */
  readonly url: string
  /** The same database past every pooler, for those who listen to it. Default: `url`. */
  readonly directUrl?: string | undefined
  /** Connections at most. Default 10. */
  readonly max?: number
  /** Shown in `pg_stat_activity`. Default `signet`. */
  readonly applicationName?: string
  /** Default 5,000. */
  readonly connectTimeoutMs?: number
  /** How long work may wait for a connection before it is refused with `database-unavailable`. Default 900. */
  readonly acquireTimeoutMs?: number
  /** Server-side. Default 5,000. */
  readonly statementTimeoutMs?: number
  /** Server-side. Default 2,000. */
  readonly lockTimeoutMs?: number
  /** Server-side. Default 5,000. */
  readonly idleInTransactionTimeoutMs?: number
  /**
   * Client-side: the answer to a server that hangs. The connection is closed then. Default 12,000: who waits for the work over
   * HTTP has to hear of it before their own connection counts as dead, after 15 s.
   */
  readonly transactionTimeoutMs?: number
}

export type TimeLimits = Required<
  Pick<
    DatabaseOptions,
    'acquireTimeoutMs' | 'statementTimeoutMs' | 'lockTimeoutMs' | 'idleInTransactionTimeoutMs' | 'transactionTimeoutMs'
  >
>

/** Tagged SQL: every `${value}` is a parameter. Prepared once a connection. */
export type Statements = postgres.ISql

export interface Database {
  /**
   * The bare client: no role, no tenant, no time limit, no translated faults. For start-up checks and tools; requests use
   * `inTenant` or `runStatement`.
   */
  readonly sql: Statements
  /** Where `listenForNotices` connects to. Holds a password. */
  readonly directUrl: string
  /** Drizzle over the bare client; the same warning holds. */
  readonly drizzle: PostgresJsDatabase
  readonly pool: ConnectionPool
  readonly limits: TimeLimits
  /** Waits for running work, at most `timeoutMs` (default 5,000), then closes every connection. */
  close(timeoutMs?: number): Promise<void>
}

/** A short, flat pause between attempts to connect: the database is used again within a second of its return. */
const backoffSeconds = 0.2

/** Opens nothing yet: the first work connects. */
export function openDatabase(options: DatabaseOptions): Database {
  const max = options.max ?? 10
  const sql = postgres(options.url, {
    max,
    connect_timeout: (options.connectTimeoutMs ?? 5_000) / 1000,
    backoff: () => backoffSeconds,
    connection: { application_name: options.applicationName ?? 'signet' },
    onnotice: () => undefined,
    types: { json: jsonType },
  })
  const acquireTimeoutMs = options.acquireTimeoutMs ?? 900
  const pool = createPool(sql, max, acquireTimeoutMs)
  return {
    sql,
    directUrl: options.directUrl ?? options.url,
    drizzle: drizzleOver(sql),
    pool,
    limits: {
      acquireTimeoutMs,
      statementTimeoutMs: options.statementTimeoutMs ?? 5_000,
      lockTimeoutMs: options.lockTimeoutMs ?? 2_000,
      idleInTransactionTimeoutMs: options.idleInTransactionTimeoutMs ?? 5_000,
      transactionTimeoutMs: options.transactionTimeoutMs ?? 12_000,
    },
    close: async (timeoutMs = 5_000) => {
      await pool.drain(timeoutMs)
      await sql.end({ timeout: 1 })
    },
  }
}

/**
 * Drizzle hands over JSON as text, tagged SQL as a value: text goes through untouched. (A bare JSON string in tagged SQL
 * is written as `sql.json(JSON.stringify(text))`.)
 */
const jsonType = {
  to: 114,
  from: [114, 3802],
  serialize: (value: unknown) => (typeof value === 'string' ? value : JSON.stringify(value)),
  parse: (text: string): unknown => JSON.parse(text),
}

/** A statement with more parameters is as long as its data: preparing each length would fill the server's memory. */
const maxPreparedParameters = 64

/** One for all: it remembers what it has worked out about each table. */
const dialect = new PgDialect()

/**
 * Drizzle's `drizzle()` would change the client's date parsers, which tagged SQL needs; and its calls go unprepared, which
 * costs a third of the throughput. So it gets a session over a client that prepares every short statement.
 */
export function drizzleOver(sql: Statements): PostgresJsDatabase {
  const driver = {
    unsafe: (query: string, parameters: postgres.ParameterOrJSON<never>[] = []) =>
      sql.unsafe(query, parameters, { prepare: parameters.length <= maxPreparedParameters, simple: false } as object),
  }
  const session = new PostgresJsSession(driver as unknown as postgres.Sql, dialect, undefined)
  return new PostgresJsDatabase(dialect, session, undefined)
}
