/**
 * Calls of one function that wait at the same time go to the database on one connection, one behind the other: each a statement and a
 * transaction of its own, so that none holds a lock while another waits for one. They share the connection and the messages.
 */

import type postgres from 'postgres'
import { type Caller, queueCalls } from './call-queue.ts'
import type { Statements } from './connect.ts'
import { isConflict } from './database-faults.ts'
import { runStatements } from './tenant-scope.ts'

/**
 * @param state a statement as of `runStatement`, which gives one row
 * @throws database-unavailable, also where a call has waited for as long as one may wait for a connection; or its own error
 */
export function pipelineCalls<Call, Row extends object>(
  state: (sql: Statements, call: Call) => postgres.PendingQuery<[Row]>,
): Caller<Call, Row> {
  return queueCalls<Call, Row>({
    send: async (database, claim) => {
      const outcomes = await runStatements(database, sql => claim().map(call => state(sql, call)))
      return outcomes.map(outcome =>
        outcome.status === 'fulfilled' ? { status: 'fulfilled', value: outcome.value[0] } : outcome,
      )
    },
    isOfOneCall: isConflict,
  })
}
