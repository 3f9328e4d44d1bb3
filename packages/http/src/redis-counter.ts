/**
 * Counts for all nodes together. When Redis is gone this process counts on its own, so that a network may have its limit once a
 * node, and goes on asking; no request fails for it, and none waits longer than `patienceMs`.
 */
import type { FastifyBaseLogger } from 'fastify'
import { Redis } from 'ioredis'
import { type Count, type Counter, createMemoryCounter } from './counters.ts'

const patienceMs = 50
/** Redis is asked again so long after it did not answer, by one request. */
const askAgainMs = 1_000
/** Longest that the start waits for Redis. */
const openMs = 1_000

// One step, so that a window can neither be left without an end nor be counted twice.
const countInRedis = `
local current = redis.call('INCR', KEYS[1])
local left = redis.call('PTTL', KEYS[1])
if left < 0 then
  redis.call('PEXPIRE', KEYS[1], ARGV[1])
  left = tonumber(ARGV[1])
end
return { current, left }`

/**
 * @param url `redis://` or `rediss://`. It stands in no log: it may hold a password.
 * @param longestWaitMs that a request waits for Redis
 */
export function createRedisCounter(url: string, log: FastifyBaseLogger, longestWaitMs = patienceMs): Counter {
  const redis = new Redis(url, {
    lazyConnect: true,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    connectTimeout: openMs,
    retryStrategy: times => Math.min(times * 200, 2_000),
    connectionName: 'signet-limits',
  })
  // What goes wrong is told by the request that meets it; without a listener each attempt to connect would be printed.
  redis.on('error', () => undefined)
  const memory = createMemoryCounter()
  let goneUntil: number | undefined

  async function ask(key: string, windowMs: number): Promise<Count> {
    const answer = (await redis.eval(countInRedis, 1, `signet:limit:${key}`, windowMs)) as [number, number]
    return { current: answer[0], ttl: answer[1] }
  }

  return {
    async count(key, windowMs) {
      const at = performance.now()
      if (goneUntil !== undefined) {
        if (at < goneUntil) return memory.count(key, windowMs)
        goneUntil = at + askAgainMs
      }
      try {
        const answer = await within(longestWaitMs, ask(key, windowMs))
        if (goneUntil !== undefined) {
          goneUntil = undefined
          log.info('Redis is back: limits are counted for all nodes together again')
        }
        return answer
      } catch (error) {
        if (goneUntil === undefined)
          log.warn({ err: error }, 'Redis does not answer: until it does, limits are counted by this node alone')
        goneUntil = performance.now() + askAgainMs
        return memory.count(key, windowMs)
      }
    },
    isWhole: () => redis.status === 'ready' && (goneUntil === undefined || performance.now() >= goneUntil),
    async open() {
      await within(openMs, redis.connect()).catch(() => undefined)
    },
    close: () => redis.disconnect(),
  }
}

async function within<T>(ms: number, work: Promise<T>): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>()
  // Timers come before sockets: an answer that arrived while this process was busy is read first.
  const timer = setTimeout(() => setImmediate(() => reject(new Error(`No answer within ${ms} ms.`))), ms)
  try {
    return await Promise.race([work, promise])
  } finally {
    clearTimeout(timer)
  }
}
