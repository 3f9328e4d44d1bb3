/**
 * Calls of one function that wait at the same time go to the database as one statement: one pair of messages, one commit and one
 * flush for all of them (decision 0016 of apps/iam).
 */

import type postgres from 'postgres'
import { type Caller, queueCalls } from './call-queue.ts'
import type { Statements } from './connect.ts'
import { findPostgresError } from './database-faults.ts'
import { runStatement } from './tenant-scope.ts'

/** What a statement gives for one of its calls, and for which: its place among them, from 0. */
export type GatheredRow<Row> = Row & { readonly place: number }

/**
 * @param state ONE statement, a transaction of its own as of `runStatement`, for any number of calls. It locks rows in an order that
 * does not depend on that of the calls.
 * @returns what makes a call. Undefined is what no row was given for. A call that the server refuses fails alone: the others are made again.
 * @throws database-unavailable, also where a call has waited for as long as one may wait for a connection
 */
export function gatherCalls<Call, Row extends object>(
  state: (sql: Statements, calls: readonly Call[]) => postgres.PendingQuery<GatheredRow<Row>[]>,
): Caller<Call, Row | undefined> {
  return queueCalls<Call, Row | undefined>({
    send: async (database, claim) => {
      let calls: readonly Call[] = []
      const found = await runStatement(database, sql => {
        calls = claim()
        return state(sql, calls)
      })
      const rows = new Map<number, Row>(found.map(row => [row.place, row]))
      return calls.map((_, place) => ({ status: 'fulfilled', value: rows.get(place) }))
    },
    isOfOneCall,
  })
}

/** The server lives and has refused the statement, for a row that is locked, say: nothing of it was done. */
function isOfOneCall(error: unknown): boolean {
  const state = findPostgresError(error)?.code
  return state !== undefined && !/^(?:08|53|57P)/.test(state)
}
