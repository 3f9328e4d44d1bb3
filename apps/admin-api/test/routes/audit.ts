import { inTenant } from '@signet/db'
import type { World } from '../world.ts'
import { nothing, type Route } from './route.ts'

async function anEvent({ database, company }: World): Promise<string> {
  const [event] = await inTenant(
    database.db,
    company,
    ({ sql }) => sql<{ id: string }[]>`select id from audit_events limit 1`,
  )
  return event?.id ?? ''
}

export const auditRoutes: readonly Route[] = [
  { method: 'GET', path: '/admin/v1/audit-events', needs: 'audit-events:list', status: 200, prepare: nothing },
  { method: 'GET', path: '/admin/v1/audit-events/export', needs: 'audit-events:list', status: 200, prepare: nothing },
  {
    method: 'GET',
    path: '/admin/v1/audit-events/:id',
    needs: 'audit-events:read',
    status: 200,
    owned: ['id'],
    prepare: async world => ({ params: { id: await anEvent(world) } }),
  },
]
