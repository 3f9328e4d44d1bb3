/** How long requests take, by the pattern of their route: an address would be a label without end, and may carry a secret. */
import type { FastifyInstance } from 'fastify'
import { type Metrics, silentMetrics } from './metrics.ts'

export function measureRequests(app: FastifyInstance, metrics: Metrics): void {
  if (metrics === silentMetrics) return
  const observe = metrics.durations({
    name: 'signet_http_request_duration_seconds',
    help: 'From the first byte of a request to the last of its answer. A stream of events lasts as long as it is open.',
    labels: ['method', 'route', 'status'],
  })
  app.addHook('onResponse', (request, reply, done) => {
    observe(reply.elapsedTime / 1_000, {
      method: request.method,
      route: request.routeOptions.url ?? '(none)',
      status: `${Math.floor(reply.statusCode / 100)}xx`,
    })
    done()
  })
}
