/**
 * Calls that wait at the same time and are sent together. Nobody waits for company: while a lane is free, a call leaves at once,
 * alone. Under load the lanes are taken, and who waits for one leaves with the others who do.
 */

import type { Database } from './connect.ts'
import { databaseUnavailable } from './database-faults.ts'

/** Sent at once: one is worked on while the answers of the other are. */
const lanes = 2
/** Calls of one lane: each waits for the last of them. */
const mostTogether = 16

export type Caller<Call, Answer> = (database: Database, call: Call) => Promise<Answer>

export interface Sender<Call, Answer> {
  /**
   * Sends those that `claim` gives when a connection is had: who has waited for too long by then is no longer among them.
   * @returns what became of each, in their order
   */
  send(database: Database, claim: () => readonly Call[]): Promise<readonly PromiseSettledResult<Answer>[]>
  /** Is a call that failed in company worth trying alone? */
  isOfOneCall(error: unknown): boolean
}

/** No sender leaves a call without its outcome; if one did, its caller would wait for ever. */
const lost = { status: 'rejected', reason: new Error('A call was sent and got no answer.') } as const

interface Waiter<Call, Answer> {
  readonly call: Call
  /** Ends the wait when the call is sent; false where it has been refused meanwhile. */
  readonly claim: () => boolean
  readonly settle: (answer: Answer) => void
  readonly refuse: (reason: unknown) => void
}

/** A queue for each database. @throws database-unavailable, also where a call has waited for as long as one may wait for a connection */
export function queueCalls<Call, Answer>(sender: Sender<Call, Answer>): Caller<Call, Answer> {
  const queues = new WeakMap<Database, (call: Call) => Promise<Answer>>()
  return (database, call) => {
    let enqueue = queues.get(database)
    if (enqueue === undefined) {
      enqueue = openQueue(database, sender)
      queues.set(database, enqueue)
    }
    return enqueue(call)
  }
}

function openQueue<Call, Answer>(database: Database, sender: Sender<Call, Answer>): (call: Call) => Promise<Answer> {
  const { acquireTimeoutMs } = database.limits
  const waiting = new Set<Waiter<Call, Answer>>()
  let busy = 0

  function enqueue(call: Call): Promise<Answer> {
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

  function takeWaiting(): Waiter<Call, Answer>[] {
    const together = [...waiting].slice(0, mostTogether)
    for (const waiter of together) waiting.delete(waiter)
    return together
  }

  async function answer(together: readonly Waiter<Call, Answer>[]): Promise<void> {
    let sent = together
    const claim = () => {
      sent = together.filter(waiter => waiter.claim())
      return sent.map(({ call }) => call)
    }
    const outcomes = await sender
      .send(database, claim)
      .catch((reason: unknown) => sent.map(() => ({ status: 'rejected', reason }) as const))
    const again: Waiter<Call, Answer>[] = []
    for (const [place, waiter] of sent.entries()) {
      const outcome = outcomes[place] ?? lost
      if (outcome.status === 'fulfilled') waiter.settle(outcome.value)
      else if (sent.length > 1 && sender.isOfOneCall(outcome.reason)) again.push(waiter)
      else if (waiter.claim()) waiter.refuse(outcome.reason)
    }
    await Promise.all(again.map(waiter => answer([waiter])))
  }

  return enqueue
}
