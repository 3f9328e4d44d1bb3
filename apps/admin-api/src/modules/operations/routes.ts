import { type App, problemResponses } from '@signet/http'
import type { Deps } from '../../deps.ts'
import { callerOf } from '../../wire/caller.ts'
import { ConfigView, HealthView } from './schema.ts'
import { checkDatabase, readSettings, type ShownSettings } from './service.ts'

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
        description: 'Asks the database.',
        response: { 200: HealthView, ...problemResponses(503) },
      },
    },
    async () => {
      await checkDatabase(deps)
      return { status: 'ok' as const, database: 'ok' as const }
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
