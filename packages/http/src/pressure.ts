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

/** Mean of how late the event loop was in the last second: a request passes it several times before it is answered. */
const maxEventLoopDelay = 500
/** What delays the loop while a program begins is no load, and is still in the sample after it. */
const beginningMs = 3_000

/** Answers 503 `overloaded`. Call it before the routes. */
export async function shedUnderPressure(app: FastifyInstance): Promise<void> {
  let countsFrom = Infinity
  app.addHook('onListen', async () => {
    countsFrom = performance.now() + beginningMs
  })
  await app.register(underPressure, {
    maxEventLoopDelay,
    pressureHandler: async ({ routeOptions }) => {
      if (routeOptions.config.isVital === true || performance.now() < countsFrom) return
      throw problem('overloaded', undefined, { retryAfterSeconds: 1 })
    },
  })
}
