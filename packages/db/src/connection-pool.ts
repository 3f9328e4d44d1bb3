/**
 * Every piece of work holds one connection for itself, and no wait for one lasts longer than the acquire time: as many
 * permits as connections, handed out first come, first served.
 */

import type postgres from 'postgres'
import { databaseUnavailable } from './database-faults.ts'

export interface ConnectionPool {
  /** A connection of one's own. Release it, or destroy it and then release it. @throws database-unavailable */
  acquire(): Promise<Lease>
  /** Admits nobody any more and resolves when the last connection has come back, or after `timeoutMs`. */
  drain(timeoutMs: number): Promise<void>
  readonly load: () => PoolLoad
}

export interface PoolLoad {
  readonly used: number
  readonly waiting: number
  /** Since the start: work that had to wait, for how long all together, and what got no connection. */
  readonly waits: number
  readonly waitedSeconds: number
  readonly refused: number
}

export interface Lease {
  readonly sql: postgres.ReservedSql
  release(): void
}

interface Waiter {
  readonly admit: () => void
  readonly refuse: (reason: unknown) => void
  readonly timer: NodeJS.Timeout
}

export function createPool(sql: postgres.Sql, max: number, acquireTimeoutMs: number): ConnectionPool {
  const waiting = new Set<Waiter>()
  let free = max
  let closing = false
  let onIdle: (() => void) | undefined
  let waits = 0
  let waitedSeconds = 0
  let refused = 0

  async function acquire(): Promise<Lease> {
    if (closing) throw databaseUnavailable(new Error('The connection pool is closed.'))
    const deadline = performance.now() + acquireTimeoutMs
    if (free > 0) free -= 1
    else await admission()
    return reserve(deadline)
  }

  function admission(): Promise<void> {
    const since = performance.now()
    waits += 1
    return new Promise((resolve, reject) => {
      const leave = () => {
        clearTimeout(waiter.timer)
        waitedSeconds += (performance.now() - since) / 1_000
      }
      const waiter: Waiter = {
        admit: () => {
          leave()
          resolve()
        },
        refuse: reason => {
          waiting.delete(waiter)
          leave()
          refused += 1
          reject(reason)
        },
        timer: setTimeout(() => waiter.refuse(tooLong()), acquireTimeoutMs),
      }
      waiting.add(waiter)
    })
  }

  function reserve(deadline: number): Promise<Lease> {
    return new Promise((resolve, reject) => {
      let late = false
      const timer = setTimeout(
        () => {
          late = true
          refused += 1
          reject(tooLong())
        },
        Math.max(0, deadline - performance.now()),
      )
      sql.reserve().then(
        reserved => {
          clearTimeout(timer)
          const lease = makeLease(reserved)
          if (late) lease.release()
          else resolve(lease)
        },
        (error: unknown) => {
          clearTimeout(timer)
          giveBack()
          if (!late) refused += 1
          reject(databaseUnavailable(error))
        },
      )
    })
  }

  function makeLease(reserved: postgres.ReservedSql): Lease {
    let held = true
    return {
      sql: reserved,
      release: () => {
        if (!held) return
        held = false
        reserved.release()
        giveBack()
      },
    }
  }

  function giveBack(): void {
    const [next] = waiting
    if (next === undefined) {
      free += 1
      if (free === max) onIdle?.()
      return
    }
    waiting.delete(next)
    next.admit()
  }

  function tooLong(): unknown {
    return databaseUnavailable(new Error(`No connection was free within ${acquireTimeoutMs} ms.`))
  }

  async function drain(timeoutMs: number): Promise<void> {
    closing = true
    for (const waiter of waiting) waiter.refuse(databaseUnavailable(new Error('The connection pool is closing.')))
    if (free === max) return
    await new Promise<void>(resolve => {
      const timer = setTimeout(resolve, timeoutMs)
      onIdle = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }

  const load = () => ({ used: max - free, waiting: waiting.size, waits, waitedSeconds, refused })

  return { acquire, drain, load }
}
