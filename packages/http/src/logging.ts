/**
 * One line a request, with the route's pattern instead of its address: a path or a query may carry what belongs in no
 * log. Headers and bodies are never written.
 */
import { createRequire } from 'node:module'
import type { ProblemDocument } from '@signet/kernel'
import type { FastifyInstance } from 'fastify'
import { type Logger, type LoggerOptions, pino } from 'pino'
import { logOutput } from './log-output.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** What it was answered with; null unless it failed. */
    problem: Pick<ProblemDocument, 'code' | 'detail'> | null
  }
}

export const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const
export const logFormats = ['auto', 'json', 'pretty'] as const

/** As Fastify takes them. */
export type LoggerSettings = LoggerOptions & { readonly stream?: typeof logOutput }

/** `auto` is coloured on a terminal and JSON elsewhere. */
export function loggerOptions(
  level: (typeof logLevels)[number],
  format: (typeof logFormats)[number],
  name: string,
): LoggerSettings {
  const isPretty = format === 'pretty' || (format === 'auto' && process.stdout.isTTY)
  // The reader of uploads writes at `trace` what it was given, and with it the request's headers.
  const redact = { paths: ['busboyOptions'], remove: true }
  const base = { level, name, redact, serializers: { err: describeError } }
  return isPretty
    ? {
        ...base,
        transport: { target: findPrettyPrinter(), options: { translateTime: 'HH:MM:ss', ignore: 'pid,hostname' } },
      }
    : { ...base, stream: logOutput }
}

/** pino starts a thread with it; by its name alone it would be looked for from the file that asks. */
function findPrettyPrinter(): string {
  return createRequire(import.meta.url).resolve('pino-pretty')
}

export type Log = Pick<Logger, 'info' | 'error'>

/** For what a program has to say outside its requests. */
export function createLog({ stream, ...options }: LoggerSettings): Log {
  return stream === undefined ? pino(options) : pino(options, stream)
}

/** Name, code, message and stack. A driver's error also carries the statement's parameters: those stay out. */
function describeError(error: Error & { code?: unknown }) {
  return { type: error.name, code: error.code, message: error.message, stack: error.stack ?? '' }
}

export function logRequests(app: FastifyInstance): void {
  app.decorateRequest('problem', null)
  app.addHook('onResponse', (request, reply, done) => {
    const line = {
      method: request.method,
      route: request.routeOptions.url ?? '(none)',
      status: reply.statusCode,
      code: request.problem?.code,
      // A caller's mistake is named to the caller, in words that may repeat what was sent.
      detail: reply.statusCode === 503 ? request.problem?.detail : undefined,
      ms: Math.round(reply.elapsedTime * 10) / 10,
      ip: request.ip,
    }
    if (reply.statusCode >= 500) request.log.warn(line, 'served')
    else request.log.info(line, 'served')
    done()
  })
}
