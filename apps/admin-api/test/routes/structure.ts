/** Units, positions and who holds them, customers and subcontractors. */
import { inTenant } from '@signet/db'
import { newId } from '@signet/kernel'
import type { World } from '../world.ts'
import { aPerson, nothing, type Route, unique } from './route.ts'

const tables = {
  'org-units': 'org_units',
  positions: 'positions',
  customers: 'customers',
  subcontractors: 'subcontractors',
}
type Resource = keyof typeof tables

export async function aRow({ database, company }: World, resource: Resource): Promise<string> {
  const id = newId()
  await inTenant(
    database.db,
    company,
    ({ sql }) => sql`
      insert into ${sql(tables[resource])} ${sql({
        tenant_id: company,
        id,
        [nameOf(resource)]: `row ${unique()}`,
      })}`,
  )
  return id
}

export const aPosition = (world: World) => aRow(world, 'positions')

const nameOf = (resource: Resource) => (resource === 'positions' ? 'title' : 'name')
const contact = {
  email: 'contact@example.test',
  contact_person: 'Ada',
  phone: '+33 1 23 (ext. 4)',
  address: '1 rue A\nParis',
}

function resourceRoutes(resource: Resource, entry: string, members: Readonly<Record<string, unknown>>): Route[] {
  const aBody = () => ({ [nameOf(resource)]: `made ${unique()}`, ...members })
  return [
    { method: 'GET', path: `/admin/v1/${resource}`, needs: `${resource}:list`, status: 200, prepare: nothing },
    {
      method: 'POST',
      path: `/admin/v1/${resource}`,
      needs: `${resource}:create`,
      status: 201,
      event: `${entry}.created`,
      prepare: async () => ({ body: aBody() }),
    },
    ...(['GET', 'PATCH', 'DELETE'] as const).map(
      (method): Route => ({
        path: `/admin/v1/${resource}/:id`,
        owned: ['id'],
        method,
        ...{
          GET: { needs: `${resource}:read`, status: 200 },
          PATCH: { needs: `${resource}:modify`, status: 200, event: `${entry}.modified` },
          DELETE: { needs: `${resource}:delete`, status: 204, event: `${entry}.deleted` },
        }[method],
        prepare: async world => ({
          params: { id: await aRow(world, resource) },
          ...(method === 'PATCH' ? { body: aBody() } : {}),
        }),
      }),
    ),
  ]
}

const belowUnit = (path: string, needs: string): Route => ({
  method: 'GET',
  path: `/admin/v1/org-units/:id/${path}`,
  needs,
  status: 200,
  owned: ['id'],
  prepare: async world => ({ params: { id: await aRow(world, 'org-units') } }),
})

const holder = { path: '/admin/v1/positions/:id/users/:user_id', needs: 'positions:modify', owned: ['id', 'user_id'] }
const aPair = async (world: World) => ({ id: await aPosition(world), user_id: await aPerson(world) })

export const structureRoutes: readonly Route[] = [
  ...resourceRoutes('org-units', 'org-unit', { description: 'Sells what the others make', parent_id: null }),
  belowUnit('children', 'org-units:read'),
  belowUnit('tree', 'org-units:read'),
  belowUnit('positions', 'positions:list'),
  { method: 'GET', path: '/admin/v1/org-units/tree', needs: 'org-units:list', status: 200, prepare: nothing },
  ...resourceRoutes('positions', 'position', { description: 'Leads those who sell', level: 3, org_unit_id: null }),
  {
    method: 'GET',
    path: '/admin/v1/positions/:id/users',
    needs: 'positions:read',
    status: 200,
    owned: ['id'],
    prepare: async world => ({ params: { id: await aPosition(world) } }),
  },
  {
    ...holder,
    method: 'PUT',
    status: 204,
    event: 'position.assigned',
    prepare: async world => ({ params: await aPair(world) }),
  },
  {
    ...holder,
    method: 'DELETE',
    status: 204,
    event: 'position.withdrawn',
    prepare: async world => {
      const params = await aPair(world)
      await world.call(world.admin, 'PUT', `positions/${params.id}/users/${params.user_id}`)
      return { params }
    },
  },
  ...resourceRoutes('customers', 'customer', contact),
  ...resourceRoutes('subcontractors', 'subcontractor', { ...contact, description: 'Installs stations' }),
]
