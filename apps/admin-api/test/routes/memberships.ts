import type { World } from '../world.ts'
import { assignmentRoutes } from './assignments.ts'
import { aPosition } from './structure.ts'
import { nothing, unique, type Route } from './route.ts'

const aGuest = async ({ cast, company, other }: World) => cast.addGuest(company, await cast.addPerson(other), [])

export const membershipsRoutes: readonly Route[] = [
  { method: 'GET', path: '/admin/v1/memberships', needs: 'memberships:list', status: 200, prepare: nothing },
  {
    method: 'POST',
    path: '/admin/v1/memberships',
    needs: 'memberships:create',
    status: 202,
    event: 'membership.invited',
    prepare: async () => ({ body: { email: `${unique()}@example.test` } }),
  },
  {
    method: 'GET',
    path: '/admin/v1/memberships/:id',
    needs: 'memberships:read',
    status: 200,
    owned: ['id'],
    prepare: async world => ({ params: { id: await aGuest(world) } }),
  },
  {
    method: 'DELETE',
    path: '/admin/v1/memberships/:id',
    needs: 'memberships:delete',
    status: 204,
    owned: ['id'],
    event: 'membership.removed',
    prepare: async world => ({ params: { id: await aGuest(world) } }),
  },
  {
    method: 'PATCH',
    path: '/admin/v1/memberships/:id',
    needs: 'positions:modify',
    status: 200,
    owned: ['id'],
    event: 'position.assigned',
    prepare: async world => ({ params: { id: await aGuest(world) }, body: { position_id: await aPosition(world) } }),
  },
  ...assignmentRoutes('memberships', 'memberships:read', aGuest),
]
