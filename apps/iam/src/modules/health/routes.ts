import { type App, problemResponses } from '@signet/http'
import { Type } from 'typebox'

const Healthy = Type.Object({ status: Type.Literal('ok'), database: Type.Literal('ok') })

/** @param askDatabase rejects where the database cannot be reached */
export function serveHealthcheck(app: App, askDatabase: () => Promise<void>): void {
  app.get(
    '/api/v1/healthcheck',
    {
      config: { access: 'public', isVital: true },
      schema: {
        tags: ['Operations'],
        operationId: 'readHealthcheck',
        summary: 'Is it well, with its database?',
        description: 'Asks the database.',
        response: { 200: Healthy, ...problemResponses(503) },
      },
    },
    async (_request, reply) => {
      await askDatabase()
      reply.header('cache-control', 'no-store')
      return { status: 'ok' as const, database: 'ok' as const }
    },
  )
}
