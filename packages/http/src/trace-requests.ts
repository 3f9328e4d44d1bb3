/**
 * One span a request, for a collector of OpenTelemetry. Of the request it says the method, the pattern of the route, the status and
 * the request's id: an address or a header may carry what belongs in no trace.
 */
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { RequestSpan, Tracer } from './tracing.ts'

/** Log lines of a traced request carry its `traceId`. Call it before any other hook: what those log is of the request, too. */
export function traceRequests(app: FastifyInstance, begin: Tracer | undefined): void {
  if (begin === undefined) return
  const spans = new WeakMap<FastifyRequest, RequestSpan>()
  app.addHook('onRequest', (request, reply, done) => {
    const span = begin(request)
    spans.set(request, span)
    request.log = request.log.child({ traceId: span.traceId })
    reply.log = request.log
    done()
  })
  app.addHook('onResponse', (request, reply, done) => {
    spans.get(request)?.end({ route: request.routeOptions.url, status: reply.statusCode })
    done()
  })
}
