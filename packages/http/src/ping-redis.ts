import { Redis } from 'ioredis'

const patienceMs = 3_000

/** Resolves when Redis answers. @throws Error that says why it does not; the address stands in none, it may hold a password */
export async function pingRedis(url: string): Promise<void> {
  const redis = new Redis(url, {
    lazyConnect: true,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    connectTimeout: patienceMs,
    commandTimeout: patienceMs,
    retryStrategy: () => null,
    connectionName: 'signet-diagnose',
  })
  let reason = 'no answer'
  redis.on('error', (error: Error & { code?: string }) => {
    reason = error.code ?? error.message
  })
  try {
    await redis.connect()
    await redis.ping()
  } catch (error) {
    throw new Error(reason, { cause: error })
  } finally {
    redis.disconnect()
  }
}
