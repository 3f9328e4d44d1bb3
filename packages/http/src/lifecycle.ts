/** A program listens, and stops cleanly: first it says so on `/readyz`, then it lets running requests end, then it closes. */
import closeWithGrace from 'close-with-grace'
import type { App } from './server.ts'

export interface Program {
  readonly app: App
  /** Where it listens, e.g. `http://127.0.0.1:4000`. */
  readonly url: string
  stop(): Promise<void>
}

/** Longest wait for running requests when a program stops. */
const graceMs = 10_000

export async function startProgram(app: App, address: { host: string; port: number }): Promise<Program> {
  const url = await app.listen(address)
  return { app, url, stop: () => app.close() }
}

/**
 * Stops everything on SIGTERM, SIGINT or an uncaught error, in the order given, within the grace.
 * @returns a function that stops by hand
 */
export function stopOnSignal(stop: () => Promise<void>, onStop: (reason: string) => void): () => Promise<void> {
  const handle = closeWithGrace({ delay: graceMs, logger: false }, async ({ signal, err }) => {
    onStop(err === undefined ? (signal ?? 'closed by hand') : `an error: ${err.stack ?? err.message}`)
    await stop()
    if (err !== undefined) process.exitCode = 1
  })
  return async () => handle.close()
}
