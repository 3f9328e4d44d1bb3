/**
 * All work on data happens here: one transaction on a connection of its own, as the role `signet_app` with one
 * tenant. What goes across tenants is a SQL function: no login can become `signet_system`, which owns those. Role, tenant and time limits are set for that transaction only (HOUSE 4.3), so nothing
 * of them is left on the connection, and PgBouncer may hand it to anybody afterwards.
 *
 * The opening is sent together with the first statement, without waiting for its answer. That is safe: when it fails, the
 * server refuses everything up to the rollback.
 */

import { AsyncLocalStorage } from 'node:async_hooks'
import { setTimeout as pause } from 'node:timers/promises'
import type { TenantId } from '@signet/kernel'
import type { PostgresJsDatabase } from 'drizzle-orm/postgres-js'
import type postgres from 'postgres'
import { type Database, drizzleOver, type Statements, type TimeLimits } from './connect.ts'
import type { Lease } from './connection-pool.ts'
import { databaseUnavailable, isConflict, translateFault } from './database-faults.ts'

interface Transaction {
  /** Tagged SQL, for hot paths. */
  readonly sql: Statements
  /** Drizzle, every statement prepared. */
  readonly db: Omit<PostgresJsDatabase, 'transaction'>
}

export interface TenantTx extends Transaction {
  readonly scope: 'tenant'
  readonly tenantId: TenantId
}

export interface ServiceTx extends Transaction {
  readonly scope: 'service'
}

/**
 * Runs `work` in one transaction in which only the rows of `tenantId` exist. Deadlocks and serialization failures run it
 * again, three times in all: it must have no effect but on the database.
 * @throws database-unavailable, or what `work` throws; both undo everything
 */
export function inTenant<T>(db: Database, tenantId: TenantId, work: (tx: TenantTx) => Promise<T>): Promise<T> {
  return transact(db, 'signet_app', tenantId, async sql => {
    const result = await work(Object.assign(handlesOf(sql), { scope: 'tenant', tenantId } as const))
    await commit(sql)
    return result
  })
}

/** As `inTenant`, for a service whose role sees a schema of its own: that role and no tenant. */
export function inService<T>(db: Database, role: 'signet_places', work: (tx: ServiceTx) => Promise<T>): Promise<T> {
  return transact(db, role, '', async sql => {
    const result = await work(Object.assign(handlesOf(sql), { scope: 'service' } as const))
    await commit(sql)
    return result
  })
}

/**
 * Runs ONE statement in a transaction of its own, with no tenant: the call of a hot-path function, which sets the tenant and
 * bounds its waits for locks itself. Nothing opens or commits it, which saves three of four messages: it runs as the login,
 * which has the rights of `signet_app` and no more.
 * @throws database-unavailable, or the statement's own error
 */
export function runStatement<T extends readonly (object | undefined)[]>(
  db: Database,
  state: (sql: Statements) => postgres.PendingQuery<T>,
): Promise<postgres.RowList<T>> {
  return onConnection(db, db.limits.statementTimeoutMs, async sql => state(sql).execute())
}

const attempts = 3
/** Where a transaction is running in this chain of calls. One inside the other could deadlock the pool on itself. */
const running = new AsyncLocalStorage<{ open: boolean }>()

function transact<T>(
  db: Database,
  role: string,
  tenant: string,
  work: (sql: postgres.ReservedSql) => Promise<T>,
): Promise<T> {
  const opening = openingOf(role, db.limits)
  return onConnection(db, db.limits.transactionTimeoutMs, async sql => {
    const scope = { open: true }
    try {
      return await running.run(scope, () => runOnce(sql, opening, tenant, work))
    } finally {
      scope.open = false
    }
  })
}

async function onConnection<T>(
  db: Database,
  timeoutMs: number,
  work: (sql: postgres.ReservedSql) => Promise<T>,
): Promise<T> {
  if (running.getStore()?.open) throw new TypeError('A transaction is open already: pass its `tx` on, do not nest.')
  for (let attempt = 1; ; attempt += 1) {
    const lease = await db.pool.acquire()
    try {
      return await withDeadline(lease, timeoutMs, () => work(lease.sql))
    } catch (error) {
      if (!isConflict(error) || attempt === attempts) throw translateFault(error)
    } finally {
      lease.release()
    }
    await pause(Math.random() * 20 * attempt)
  }
}

/** Ends what the server's own limits cannot: a server that hangs, and work that waits for something else. */
async function withDeadline<T>(lease: Lease, timeoutMs: number, work: () => Promise<T>): Promise<T> {
  const { promise: deadline, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(() => {
    lease.sql.destroy()
    reject(databaseUnavailable(new Error(`The transaction took longer than ${timeoutMs} ms.`)))
  }, timeoutMs)
  try {
    return await Promise.race([work(), deadline])
  } finally {
    clearTimeout(timer)
  }
}

async function runOnce<T>(
  sql: postgres.ReservedSql,
  opening: string,
  tenant: string,
  work: (sql: postgres.ReservedSql) => Promise<T>,
): Promise<T> {
  const begun = Promise.all([command(sql, 'begin'), command(sql, opening, [tenant])])
  const openingFault = begun.then(
    () => undefined,
    (error: unknown) => error,
  )
  try {
    return await work(sql)
  } catch (error) {
    await rollback(sql)
    // A refused opening makes every later statement fail with 25P02: tell the cause, not the consequence.
    throw (await openingFault) ?? error
  }
}

function openingOf(role: string, limits: TimeLimits): string {
  return `select set_config('role', '${role}', true), set_config('signet.tenant_id', $1, true),
    set_config('statement_timeout', '${limits.statementTimeoutMs}', true),
    set_config('lock_timeout', '${limits.lockTimeoutMs}', true),
    set_config('idle_in_transaction_session_timeout', '${limits.idleInTransactionTimeoutMs}', true)`
}

/** Sends now, prepared. */
function command(
  sql: postgres.ReservedSql,
  text: string,
  parameters: string[] = [],
): PromiseLike<postgres.RowList<object[]>> {
  return sql.unsafe<object[]>(text, parameters, preparedOnce).execute()
}

/** `simple` is the driver's default for statements without parameters, and cannot be prepared. */
const preparedOnce: postgres.UnsafeQueryOptions & { readonly simple: false } = { prepare: true, simple: false }

async function commit(sql: postgres.ReservedSql): Promise<void> {
  const ending = command(sql, 'commit')
  sql.seal(ending)
  const { command: tag } = await ending
  if (tag !== 'COMMIT') {
    throw new Error('The transaction was rolled back: one of its statements failed and the error was not passed on.')
  }
}

async function rollback(sql: postgres.ReservedSql): Promise<void> {
  const ending = command(sql, 'rollback')
  sql.seal(ending)
  try {
    await ending
  } catch {
    // The connection is in doubt: whoever comes next gets a new one.
    sql.destroy()
  }
}

function handlesOf(sql: postgres.ReservedSql): Transaction {
  let db: PostgresJsDatabase | undefined
  return {
    sql,
    get db() {
      db ??= drizzleOver(sql)
      return db
    },
  }
}
