import type { World } from '../world.ts'
import { nothing, unique, type Route } from './route.ts'

const members = () => ({
  name: `Brand ${unique()}`,
  logo_url: 'https://cdn.example.test/logo.png',
  primary_color: '#0a7cff',
})

export const aBrand = async ({ call, admin }: World): Promise<string> =>
  (await call(admin, 'POST', 'brands', members())).body.id
const anAdvisor = async ({ cast, company }: World) => (await cast.addPerson(company, { roles: ['advisor'] })).userId

export const brandsRoutes: readonly Route[] = [
  { method: 'GET', path: '/admin/v1/brands', needs: 'brands:list', status: 200, prepare: nothing },
  {
    method: 'POST',
    path: '/admin/v1/brands',
    needs: 'brands:create',
    status: 201,
    event: 'brand.created',
    prepare: async () => ({ body: members() }),
  },
  ...(['GET', 'PATCH', 'DELETE'] as const).map(
    (method): Route => ({
      path: '/admin/v1/brands/:id',
      owned: ['id'],
      method,
      ...{
        GET: { needs: 'brands:read', status: 200 },
        PATCH: { needs: 'brands:modify', status: 200, event: 'brand.modified' },
        DELETE: { needs: 'brands:delete', status: 204, event: 'brand.deleted' },
      }[method],
      prepare: async world => ({
        params: { id: await aBrand(world) },
        ...(method === 'PATCH' ? { body: members() } : {}),
      }),
    }),
  ),
  {
    method: 'PUT',
    path: '/admin/v1/brands/:id/advisors/:user_id',
    needs: 'brands:modify',
    status: 204,
    owned: ['id', 'user_id'],
    event: 'advisor.brand-assigned',
    prepare: async world => ({ params: { id: await aBrand(world), user_id: await anAdvisor(world) } }),
  },
  {
    method: 'DELETE',
    path: '/admin/v1/brands/:id/advisors/:user_id',
    needs: 'brands:modify',
    status: 204,
    owned: ['id', 'user_id'],
    event: 'advisor.brand-withdrawn',
    prepare: async world => {
      const params = { id: await aBrand(world), user_id: await anAdvisor(world) }
      await world.call(world.admin, 'PUT', `brands/${params.id}/advisors/${params.user_id}`)
      return { params }
    },
  },
]
