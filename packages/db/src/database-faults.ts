/**
 * The one place that decides what a failure of the database means. A connection that cannot be had or was lost, a limit
 * that ran out and a conflict that outlived its retries are `database-unavailable` (503); everything else stays what it is.
 */

import { type Problem, problem } from '@signet/kernel'
import { DrizzleQueryError } from 'drizzle-orm/errors'
import postgres from 'postgres'

/** The whole connection is refused or gone; the codes are postgres.js's own. */
const connectionCodes = new Set([
  'CONNECTION_CLOSED',
  'CONNECTION_ENDED',
  'CONNECTION_DESTROYED',
  'CONNECTION_RELEASED',
  'CONNECT_TIMEOUT',
])

const retryAfterSeconds = 1

/**
 * SQLSTATEs (PostgreSQL manual, appendix A) that say "not now": connection exception (08), insufficient resources (53),
 * operator intervention (57: shutdown, starting up, statement timeout), lock timeout, idle or long transaction,
 * and the two that a retry usually cures.
 */
function isPassingState(sqlState: string): boolean {
  return (
    sqlState.startsWith('08') ||
    sqlState.startsWith('53') ||
    sqlState.startsWith('57') ||
    sqlState === '55P03' ||
    sqlState === '25P03' ||
    sqlState === '25P04' ||
    isConflictState(sqlState)
  )
}

/** A statement was prepared on another connection, or is there already: what a pooler does that shares connections. */
const forgottenStates = new Set(['26000', '42P05'])

const forgotten = (cause: unknown) =>
  new Error(
    'DATABASE_URL leads through a pooler that keeps no prepared statements: add ?prepare=false to it, or set max_prepared_statements in PgBouncer 1.21 or later.',
    { cause },
  )

function isConflictState(sqlState: string): boolean {
  return sqlState === '40001' || sqlState === '40P01'
}

/** The server's own error, also from under Drizzle's wrapping; undefined when the server did not answer with one. */
export function findPostgresError(error: unknown): postgres.PostgresError | undefined {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (cause instanceof postgres.PostgresError) return cause
  }
  return undefined
}

/** Serialization failure or deadlock: nothing was written, and the same work may succeed at once. */
export function isConflict(error: unknown): boolean {
  const answer = findPostgresError(error)
  return answer !== undefined && isConflictState(answer.code)
}

/** A value that does not fit (class 22) or a rule of the tables that it breaks (23): the same statement would fail again. */
export function isRefusedData(error: unknown): boolean {
  return /^2[23]/.test(findPostgresError(error)?.code ?? '')
}

/** A row of the same key is there already. */
export function isDuplicate(error: unknown): boolean {
  return findPostgresError(error)?.code === '23505'
}

/** The problem to answer with while no connection can be had. The cause is for the log. */
export function databaseUnavailable(cause: unknown, detail?: string): Problem {
  return problem('database-unavailable', detail, { retryAfterSeconds, cause })
}

/**
 * Turns a passing failure of the database into `database-unavailable`; gives every other error back as it is, but for
 * Drizzle's wrapping: its message holds the statement's parameters, password hashes among them, and would end in a log.
 */
export function translateFault(fault: unknown): unknown {
  const error = fault instanceof DrizzleQueryError ? (fault.cause ?? new Error('A statement failed.')) : fault
  const answer = findPostgresError(error)
  if (answer !== undefined && forgottenStates.has(answer.code)) return databaseUnavailable(forgotten(error))
  if (answer !== undefined) return isPassingState(answer.code) ? databaseUnavailable(error) : error
  return isConnectionLoss(error) ? databaseUnavailable(error) : error
}

/**
 * A socket's error counts only when it came through the driver (which notes the `query` on it): an ECONNREFUSED of an
 * HTTP call made inside the work is another system's. Node's own EPIPE, of a write after the server's end, names no syscall.
 */
function isConnectionLoss(error: unknown): boolean {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if ('code' in cause && typeof cause.code === 'string') {
      if (connectionCodes.has(cause.code)) return true
      const isOfSocket = 'syscall' in cause || cause.code === 'EPIPE'
      if (isOfSocket && 'query' in cause) return true
    }
  }
  return false
}
