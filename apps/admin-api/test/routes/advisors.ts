import type { World } from '../world.ts'
import { type Route } from './route.ts'

/** Somebody who has the role and whom a client may be assigned to. */
const aPair = async ({ cast, company }: World) => ({
  id: (await cast.addPerson(company, { roles: ['advisor'] })).userId,
  user_id: (await cast.addPerson(company)).userId,
})

export const advisorsRoutes: readonly Route[] = [
  {
    method: 'GET',
    path: '/admin/v1/advisors/:id/clients',
    needs: 'advisors:list',
    status: 200,
    owned: ['id'],
    prepare: async world => ({ params: { id: (await aPair(world)).id } }),
  },
  {
    method: 'PUT',
    path: '/admin/v1/advisors/:id/clients/:user_id',
    needs: 'advisors:modify',
    status: 204,
    owned: ['id', 'user_id'],
    event: 'advisor.client-assigned',
    prepare: async world => ({ params: await aPair(world) }),
  },
  {
    method: 'DELETE',
    path: '/admin/v1/advisors/:id/clients/:user_id',
    needs: 'advisors:modify',
    status: 204,
    owned: ['id', 'user_id'],
    event: 'advisor.client-removed',
    prepare: async world => {
      const params = await aPair(world)
      await world.call(world.admin, 'PUT', `advisors/${params.id}/clients/${params.user_id}`)
      return { params }
    },
  },
]
