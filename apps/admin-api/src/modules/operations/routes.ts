import { type App, problemResponses } from '@signet/http'
import type { Deps } from '../../deps.ts'
import { callerOf } from '../../wire/caller.ts'
import { ConfigView, HealthView } from './schema.ts'
import { readHealth, readSettings, type ShownSettings } from './service.ts'

const tags = ['Operations']

export function serveOperations(app: App, deps: Deps, settings: ShownSettings): void {
  app.get(
    '/health',
    {
      config: { access: 'public' },
      schema: {
        tags,
        operationId: 'readHealth',
        summary: 'Is it well?',
        description: 'Asks the database: 503 and `unhealthy` while it does not answer.',
        response: { 200: HealthView, 503: HealthView },
      },
    },
    async (request, reply) => {
      const { health, cause } = await readHealth(deps, String(settings['environment'] ?? ''))
      if (cause === undefined) return health
      request.log.warn({ err: cause, check: 'database' }, 'unhealthy')
      return reply.code(503).headers({ 'retry-after': '1', 'cache-control': 'no-store' }).send(health)
    },
  )

  app.get(
    '/config',
    {
      config: { access: {} },
      schema: {
        tags,
        operationId: 'readSettings',
        summary: 'How is it set up?',
        description: 'The settings in effect, without secrets. For platform staff.',
        response: { 200: ConfigView, ...problemResponses(401, 403, 503) },
      },
    },
    async request => readSettings(deps, callerOf(request), settings),
  )
}
