/**
 * A program listens, and stops cleanly: first it says so on `/readyz`, then it lets running requests end, then it closes.
 */
import cluster from 'node:cluster'
import closeWithGrace from 'close-with-grace'
import { drainMs } from './drain.ts'
import type { App } from './server.ts'

export interface Program {
  readonly app: App
  /** Where it listens, e.g. `http://127.0.0.1:4000`. */
  readonly url: string
  stop(): Promise<void>
}

/** Longest wait for running requests when a program stops, after its balancers have heard of it. */
const graceMs = 10_000
/** For all else: what is being sent, the connections to the database. The first process outlives those that it looks after. */
const restMs = cluster.isPrimary ? 7_000 : 5_000

/** The first process of a program says it to the others that serve: a signal of a terminal reaches all of them by itself. */
export const stopWord = 'stop'

export async function startProgram(app: App, address: { host: string; port: number }): Promise<Program> {
  const url = await app.listen(address)
  return {
    app,
    url,
    stop: async () => {
      await app.drain.begin()
      // Node looks after time-outs no more once a server closes: a request that hangs would keep it for ever.
      const timer = setTimeout(() => app.server.closeAllConnections(), graceMs)
      await app.close()
      clearTimeout(timer)
    },
  }
}

/**
 * Stops everything on SIGTERM, SIGINT, the word of the first process or an uncaught error, in the order given, within the grace.
 * A second signal ends the process at once.
 * @returns a function that stops by hand
 */
export function stopOnSignal(stop: () => Promise<void>, onStop: (reason: string) => void): () => void {
  let isStopping = false
  const handle = closeWithGrace({ delay: drainMs + graceMs + restMs, logger: false }, async ({ signal, err }) => {
    isStopping = true
    onStop(err === undefined ? (signal ?? 'told to') : `an error: ${err.stack ?? err.message}`)
    await stop()
    if (err !== undefined) process.exitCode = 1
  })
  const stopByHand = () => {
    if (!isStopping) handle.close()
  }
  if (cluster.isWorker) process.on('message', word => void (word === stopWord && stopByHand()))
  return stopByHand
}
