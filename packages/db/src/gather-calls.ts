/**
 * Calls of one function that wait at the same time go to the database together: one pair of messages, one commit and one flush for
 * all of them. Nobody waits for company: while a lane is free, a call leaves at once, alone. Under load the lanes are taken, and
 * who waits for one leaves with the others who do.
 */

import type postgres from 'postgres'
import type { Database, Statements } from './connect.ts'
import { databaseUnavailable, findPostgresError } from './database-faults.ts'
import { runStatement } from './tenant-scope.ts'

/** Statements at once: one is worked on while the answers of the other are. */
const lanes = 2
/** Calls of one statement: each waits for the last of them. */
const mostTogether = 16

interface Waiter<Call, Row> {
  readonly call: Call
  /** Ends the wait when the call is sent; false where it has been refused meanwhile. */
  readonly claim: () => boolean
  readonly settle: (row: Row | undefined) => void
  readonly refuse: (reason: unknown) => void
}

/** What a statement gives for one of its calls, and for which: its place among them, from 0. */
export type GatheredRow<Row> = Row & { readonly place: number }

/**
 * @param state ONE statement, a transaction of its own as of `runStatement`, for any number of calls. It locks rows in an order that
 * does not depend on that of the calls.
 * @returns what makes a call. Undefined is what no row was given for. A call that the server refuses fails alone.
 * @throws database-unavailable, also where a call has waited for as long as one may wait for a connection
 */
export function gatherCalls<Call, Row extends object>(
  state: (sql: Statements, calls: readonly Call[]) => postgres.PendingQuery<GatheredRow<Row>[]>,
): (database: Database, call: Call) => Promise<Row | undefined> {
  const queues = new WeakMap<Database, (call: Call) => Promise<Row | undefined>>()
  return (database, call) => {
    let enqueue = queues.get(database)
    if (enqueue === undefined) {
      enqueue = openQueue(database, claim => runStatement(database, sql => state(sql, claim())))
      queues.set(database, enqueue)
    }
    return enqueue(call)
  }
}

function openQueue<Call, Row extends object>(
  { limits: { acquireTimeoutMs } }: Database,
  run: (claim: () => readonly Call[]) => Promise<readonly GatheredRow<Row>[]>,
): (call: Call) => Promise<Row | undefined> {
  const waiting = new Set<Waiter<Call, Row>>()
  let busy = 0

  function enqueue(call: Call): Promise<Row | undefined> {
    return new Promise((settle, refuse) => {
      let isLate = false
      // It runs on while a connection is waited for.
      const timer = setTimeout(() => {
        isLate = true
        waiting.delete(waiter)
        refuse(databaseUnavailable(new Error(`The database took no call within ${acquireTimeoutMs} ms.`)))
      }, acquireTimeoutMs)
      const claim = () => {
        clearTimeout(timer)
        return !isLate
      }
      const waiter = { call, claim, settle, refuse }
      waiting.add(waiter)
      if (busy < lanes) setImmediate(() => void work())
    })
  }

  async function work(): Promise<void> {
    if (busy === lanes) return
    busy += 1
    for (let together = takeWaiting(); together.length > 0; together = takeWaiting()) await answer(together)
    busy -= 1
  }

  function takeWaiting(): Waiter<Call, Row>[] {
    const together = [...waiting].slice(0, mostTogether)
    for (const waiter of together) waiting.delete(waiter)
    return together
  }

  async function answer(together: readonly Waiter<Call, Row>[]): Promise<void> {
    let sent = together
    const claim = () => {
      sent = together.filter(waiter => waiter.claim())
      return sent.map(({ call }) => call)
    }
    try {
      const rows = new Map((await run(claim)).map(row => [row.place, row]))
      for (const [place, { settle }] of sent.entries()) settle(rows.get(place))
    } catch (error) {
      if (sent.length > 1 && isOfOneCall(error)) await Promise.all(sent.map(waiter => answer([waiter])))
      else for (const { claim: isWaiting, refuse } of sent) if (isWaiting()) refuse(error)
    }
  }

  return enqueue
}

/** The server lives and has refused the statement, for a row that is locked, say: nothing of it was done. */
function isOfOneCall(error: unknown): boolean {
  const state = findPostgresError(error)?.code
  return state !== undefined && !/^(?:08|53|57P)/.test(state)
}
