/**
 * A process that no longer keeps up sends away what can come again, so that what everybody stands on is still served: keys,
 * revocations, the renewal of tokens, health (THREATS C3). Routes of that kind say `isVital`.
 */
import underPressure from '@fastify/under-pressure'
import { problem } from '@signet/kernel'
import type { FastifyInstance } from 'fastify'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Served however late the process is. */
    isVital?: boolean
  }
}

/** Mean of how late the event loop was in the last sample: a request passes it several times before it is answered. */
const maxEventLoopDelay = 500
const sampleMs = 1_000
/** Between two looks at the loop. A hundred a second, as the library has it, are 1 % of a core for a process that has nothing to do. */
const eventLoopResolution = 50
/** What delays the loop while a program begins is no load, and is still in the sample after it. */
const beginningMs = 3_000

/** Answers 503 `overloaded`. Call it before the routes. */
export async function shedUnderPressure(app: FastifyInstance): Promise<void> {
  let countsFrom = Infinity
  app.addHook('onListen', async () => {
    countsFrom = performance.now() + beginningMs
  })
  const staysLate = createLateness()
  await app.register(underPressure, {
    maxEventLoopDelay,
    sampleInterval: sampleMs,
    eventLoopResolution,
    pressureHandler: async ({ routeOptions }) => {
      if (performance.now() < countsFrom || !staysLate() || routeOptions.config.isVital === true) return
      throw problem('overloaded', undefined, { retryAfterSeconds: 1 })
    },
  })
}

/**
 * True from the second late sample in a row: one stall, of a process that had no processor for a moment, is over when it is found.
 * @returns to be called for each request that comes while the last sample is late
 */
function createLateness(): () => boolean {
  let since = 0
  let last = -Infinity
  return () => {
    const now = performance.now()
    if (now - last > 2 * sampleMs) since = now
    last = now
    return now - since >= sampleMs
  }
}
