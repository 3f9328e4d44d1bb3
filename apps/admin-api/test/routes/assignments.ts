import type { World } from '../world.ts'
import { aRole, type Route } from './route.ts'

/** The same four routes hang on people and on memberships. */
export function assignmentRoutes(
  parent: 'users' | 'memberships',
  reads: string,
  aMember: (world: World) => Promise<string>,
): Route[] {
  const list = { path: `/admin/v1/${parent}/:id/roles`, owned: ['id'] }
  const item = { path: `/admin/v1/${parent}/:id/roles/:role_id`, owned: ['id', 'role_id'], needs: 'memberships:modify' }
  const assigned = async (world: World) => {
    const [id, role_id] = [await aMember(world), await aRole(world)]
    await world.call(world.admin, 'PUT', `${parent}/${id}/roles/${role_id}`)
    return { params: { id, role_id } }
  }
  return [
    {
      ...list,
      method: 'GET',
      needs: reads,
      status: 200,
      prepare: async world => ({ params: { id: await aMember(world) } }),
    },
    {
      ...list,
      method: 'POST',
      needs: 'memberships:modify',
      status: 201,
      event: 'role.assigned',
      prepare: async world => ({ params: { id: await aMember(world) }, body: { role_id: await aRole(world) } }),
    },
    {
      ...item,
      method: 'PUT',
      status: 204,
      event: 'role.assigned',
      prepare: async world => ({ params: { id: await aMember(world), role_id: await aRole(world) } }),
    },
    { ...item, method: 'DELETE', status: 204, event: 'role.withdrawn', prepare: assigned },
  ]
}
