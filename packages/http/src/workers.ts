/**
 * Several processes of one program on one port (node:cluster). The first serves nobody: it starts the others, starts another for
 * each that ends unasked, and ends when all have ended. When it is killed, they end at once.
 */
import cluster, { type Worker } from 'node:cluster'
import { once } from 'node:events'
import { setTimeout as pause } from 'node:timers/promises'
import { StartupError } from '@signet/kernel'
import { stopWord } from './lifecycle.ts'

export interface Workers {
  /** Resolves when all listen. Rejects when the first ends before. */
  readonly ready: Promise<void>
  /** Tells all to stop, and resolves when they have ended. */
  stop(): Promise<void>
}

interface Ended {
  readonly process: number | undefined
  readonly code: number | null
  readonly signal: string | null
}

/** Between the end of a process and the start of the next, doubled each time as long as none lives for a minute. */
const pauses = { shortestMs: 100, longestMs: 10_000, endAfterLifeMs: 60_000 }

const indexName = 'WORKER_INDEX'

/** Which of the processes this is, from 0; one that takes another's place takes its number too. */
export function workerIndex(): number {
  return Number(process.env[indexName] ?? 0)
}

/**
 * The first is started alone: what keeps it from starting is said once, and the keys that it makes are there for the others.
 * @param onEnd called when one has ended unasked
 */
export function superviseWorkers(count: number, onEnd: (ended: Ended) => void): Workers {
  const stopping = new AbortController()
  const running = new Set<Worker>()
  const lives: Promise<void>[] = []
  let hasStarted = false

  /** @returns when it listens for the first time */
  function keepOneAlive(): Promise<void> {
    const listening = Promise.withResolvers<void>()
    lives.push(live(lives.length, listening))
    return listening.promise
  }

  async function live(index: number, listening: PromiseWithResolvers<void>): Promise<void> {
    let pauseMs = pauses.shortestMs
    while (!stopping.signal.aborted) {
      const startedAt = performance.now()
      const worker = cluster.fork({ [indexName]: index })
      running.add(worker)
      worker.once('listening', () => {
        hasStarted = true
        listening.resolve()
      })
      const [code, signal] = (await once(worker, 'exit')) as [number | null, string | null]
      running.delete(worker)
      if (!hasStarted) return listening.reject(new StartupError('It does not start: see above.'))
      if (stopping.signal.aborted) return
      onEnd({ process: worker.process.pid, code, signal })
      pauseMs =
        performance.now() - startedAt > pauses.endAfterLifeMs
          ? pauses.shortestMs
          : Math.min(pauseMs * 2, pauses.longestMs)
      await pause(pauseMs, undefined, { signal: stopping.signal }).catch(() => undefined)
    }
  }

  async function start(): Promise<void> {
    await keepOneAlive()
    await Promise.all(Array.from({ length: count - 1 }, keepOneAlive))
  }

  return {
    ready: start(),
    stop: async () => {
      stopping.abort()
      // One that is ending by itself cannot be told, and need not be.
      for (const worker of running) worker.send(stopWord, () => undefined)
      await Promise.all(lives)
    },
  }
}
