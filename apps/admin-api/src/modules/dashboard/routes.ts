import { type App, problemResponses } from '@signet/http'
import type { Deps } from '../../deps.ts'
import { callerOf } from '../../wire/caller.ts'
import { DashboardView } from './schema.ts'
import { readDashboard } from './service.ts'

export function serveDashboard(app: App, deps: Deps): void {
  app.get(
    '/advisors/me/dashboard',
    {
      config: { access: {} },
      schema: {
        operationId: 'readAdvisorDashboard',
        tags: ['Advisors'],
        summary: 'The dashboard of an advisor',
        description:
          "One's own brand, clients, counts and recent activity, and what each configured service answers about the advisor: `ok` " +
          'with its data, or `unavailable`. Never waits longer than two seconds for them. Needs the role `advisor`.',
        response: { 200: DashboardView, ...problemResponses(401, 403, 503) },
      },
    },
    async (request, reply): Promise<DashboardView> => {
      const { brand, counts, clients, activity, services } = await readDashboard(deps, callerOf(request))
      reply.header('cache-control', 'private, no-store')
      return {
        brand,
        counts,
        clients: {
          total: counts.clients,
          items: clients.map(client => ({
            ...client,
            last_sign_in_at: client.last_sign_in_at?.toISOString() ?? null,
            assigned_at: client.assigned_at.toISOString(),
          })),
        },
        recent_activity: activity.map(event => ({ ...event, at: event.at.toISOString() })),
        services: { ...services },
      }
    },
  )
}
