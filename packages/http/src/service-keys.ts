/**
 * Other services of ours show a key as `x-api-key`. Every key is compared, whichever is right, and hashes are compared rather
 * than texts, so that the time of a refusal tells neither a letter nor a length. Two keys hold at once while one replaces the other.
 */
import { createHash, timingSafeEqual } from 'node:crypto'
import { problem } from '@signet/kernel'
import type { FastifyRequest, onRequestAsyncHookHandler } from 'fastify'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Says in the API's document that the route asks for a service key. Its `onRequest` is `requireServiceKey`. */
    serviceKey?: true
  }
}

/**
 * A hook that lets a request pass which shows one of the keys; without any key, none passes.
 * @throws Problem `invalid-service-key`
 */
export function requireServiceKey(keys: readonly string[]): onRequestAsyncHookHandler {
  const hashes = keys.map(hashOf)
  return async request => {
    const presented = hashOf(presentedKey(request) ?? '')
    const matches = hashes.filter(hash => timingSafeEqual(hash, presented))
    if (matches.length > 0) return
    throw problem('invalid-service-key', undefined, { headers: { 'www-authenticate': 'ApiKey' } })
  }
}

/** Eight letters that tell the keys of an installation apart in its audit, and from which no key can be found. */
export function fingerprintOfServiceKey(request: FastifyRequest): string {
  return hashOf(presentedKey(request) ?? '')
    .toString('hex')
    .slice(0, 8)
}

/** Node joins a header that comes twice with a comma, which is in no key: such a request shows none. */
function presentedKey(request: FastifyRequest): string | undefined {
  const presented = request.headers['x-api-key']
  return typeof presented === 'string' ? presented : undefined
}

function hashOf(key: string): Buffer {
  return createHash('sha256').update(key).digest()
}
