/**
 * Pages of other origins may read our answers where the operator has listed them, letter by letter; with what the browser knows of
 * the person, because they could ask that person to sign in anyway. Every other page reads nothing (Fetch Standard, CORS protocol).
 */
import cors from '@fastify/cors'
import type { FastifyInstance } from 'fastify'

/** How long a browser remembers what it was allowed. */
const preflightSeconds = 600

/** What a page may read beside the few headers that it always may. */
const readableHeaders = [
  'etag',
  'link',
  'location',
  'ratelimit-limit',
  'ratelimit-remaining',
  'ratelimit-reset',
  'retry-after',
  'www-authenticate',
  'x-request-id',
]

/** What a page may send. No service key: what a page holds, everybody who opens it holds. */
const sendableHeaders = [
  'authorization',
  'content-type',
  'idempotency-key',
  'if-match',
  'if-none-match',
  'last-event-id',
  'traceparent',
  'tracestate',
]

/** Call it before the plugin that asks each route who may call it: a browser asks beforehand without showing who it is. */
export async function allowOrigins(app: FastifyInstance, origins: readonly string[]): Promise<void> {
  if (origins.length === 0) return
  const listed = new Set(origins)
  await app.register(cors, {
    origin: async (origin: string | undefined) => origin !== undefined && listed.has(origin),
    credentials: true,
    methods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'],
    allowedHeaders: sendableHeaders,
    exposedHeaders: readableHeaders,
    maxAge: preflightSeconds,
    // The plugin's own refusal of what is no such question would be no problem document.
    strictPreflight: false,
  })
}
