/**
 * How many requests a route takes from one network in a minute; a route that says no `perMinute` is not limited. The counters
 * of an account are another matter: they stand in the database.
 */
import rateLimit, { type FastifyRateLimitStore, type FastifyRateLimitStoreCtor } from '@fastify/rate-limit'
import { problem } from '@signet/kernel'
import type { FastifyRequest, RouteOptions } from 'fastify'
import { type Count, type Counter, createMemoryCounter } from './counters.ts'
import type { Health } from './health.ts'
import { networkOf } from './networks.ts'
import type { App } from './server.ts'
import { serviceKeyHolderOf } from './service-keys.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Requests a minute and network, or a minute and key where one was shown. */
    perMinute?: number
    /** Method and path of the route with which this one counts together: another way to the same must not double its limit. */
    countsWith?: string
  }
}

export interface LimitSettings {
  /** Where all nodes count together; undefined counts in this process. */
  readonly redisUrl: string | undefined
  /** Multiplies every limit: for those who send everything from one address. 1 by default. */
  readonly factor?: number
}

const minuteMs = 60_000

/**
 * Answers 429 `too-many-requests` beyond a limit, and tells what is left in `RateLimit-*`. Call it before the routes.
 * @returns checks for `serveHealth`: of Redis, where it counts
 */
export async function limitRequests(app: App, { redisUrl, factor = 1 }: LimitSettings): Promise<Health['checks']> {
  const counter = await openCounter(app, redisUrl)
  app.addHook('onReady', () => counter.open())
  app.addHook('onClose', async () => counter.close())
  app.addHook('onRoute', route => {
    const { perMinute } = route.config ?? {}
    if (perMinute !== undefined) route.config = { ...route.config, rateLimit: { max: perMinute * factor } }
  })
  await app.register(rateLimit, {
    global: false,
    enableDraftSpec: true,
    timeWindow: minuteMs,
    keyGenerator: caller,
    store: storeConstructor(counter),
    errorResponseBuilder: (_request, { ttl }) =>
      problem('too-many-requests', undefined, { retryAfterSeconds: ttl / 1_000 }),
  })
  return redisUrl === undefined ? {} : { redis: () => (counter.isWhole() ? 'ok' : 'degraded') }
}

/** The client of Redis is loaded where there is one to talk to: it is a megabyte of code. */
async function openCounter(app: App, redisUrl: string | undefined): Promise<Counter> {
  if (redisUrl === undefined) return createMemoryCounter()
  const { createRedisCounter } = await import('./redis-counter.ts')
  return createRedisCounter(redisUrl, app.log)
}

/** Services share networks with each other. Their key has been looked at before: its hook stands in front of the limit. */
function caller(request: FastifyRequest): string {
  const holder = serviceKeyHolderOf(request)
  return holder === undefined ? networkOf(request.ip) : `key ${holder.fingerprint}`
}

function storeConstructor(counter: Counter): FastifyRateLimitStoreCtor {
  // The library calls it with `new`, which an arrow function cannot be.
  return function LimitStore() {
    return storeFor(counter, '')
  } as unknown as FastifyRateLimitStoreCtor
}

function storeFor(counter: Counter, prefix: string): FastifyRateLimitStore {
  return {
    incr(key, done, windowMs) {
      void pass(counter.count(`${prefix}${key}`, windowMs), done)
    },
    // What the library passes is wider than its type says.
    child(options) {
      const { method, url, config } = (options as unknown as { routeInfo: RouteOptions }).routeInfo
      return storeFor(counter, `${config?.countsWith ?? `${String(method)} ${url}`} `)
    },
  }
}

async function pass(count: Promise<Count>, done: (error: null, count: Count) => void): Promise<void> {
  done(null, await count)
}
