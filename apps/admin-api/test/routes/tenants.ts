import { nothing, unique, type Route } from './route.ts'

export const tenantsRoutes: readonly Route[] = [
  { method: 'GET', path: '/admin/v1/tenants', needs: 'tenants:list', status: 200, prepare: nothing },
  {
    method: 'POST',
    path: '/admin/v1/tenants',
    needs: 'tenants:create',
    status: 201,
    event: 'tenant.created',
    prepare: async () => ({ body: { name: `Tenant ${unique()}`, slug: `made-${unique()}`, settings: {} } }),
  },
  {
    method: 'GET',
    path: '/admin/v1/tenants/:id',
    needs: 'tenants:read',
    status: 200,
    owned: ['id'],
    prepare: async ({ company }) => ({ params: { id: company } }),
  },
  {
    method: 'PATCH',
    path: '/admin/v1/tenants/:id',
    needs: 'tenants:modify',
    status: 200,
    owned: ['id'],
    event: 'tenant.modified',
    prepare: async ({ company }) => ({ params: { id: company }, body: { name: `Company ${unique()}` } }),
  },
  {
    method: 'DELETE',
    path: '/admin/v1/tenants/:id',
    needs: 'tenants:delete',
    status: 204,
    event: 'tenant.deleted',
    prepare: async ({ cast }) => ({ params: { id: await cast.addTenant() } }),
  },
]
