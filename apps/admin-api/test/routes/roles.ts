import { anyVersion, aRole, nothing, unique, type Route } from './route.ts'

export const rolesRoutes: readonly Route[] = [
  { method: 'GET', path: '/admin/v1/roles', needs: 'roles:list', status: 200, prepare: nothing },
  {
    method: 'POST',
    path: '/admin/v1/roles',
    needs: 'roles:create',
    status: 201,
    event: 'role.created',
    prepare: async () => ({ body: { name: `role ${unique()}`, description: 'made by a test', permissions: [] } }),
  },
  ...(['GET', 'PATCH', 'DELETE'] as const).map(
    (method): Route => ({
      path: '/admin/v1/roles/:id',
      owned: ['id'],
      method,
      ...{
        GET: { needs: 'roles:read', status: 200 },
        PATCH: { needs: 'roles:modify', status: 200, event: 'role.modified' },
        DELETE: { needs: 'roles:delete', status: 204, event: 'role.deleted' },
      }[method],
      prepare: async world => ({
        params: { id: await aRole(world) },
        headers: anyVersion,
        ...(method === 'PATCH' ? { body: { name: `role ${unique()}` } } : {}),
      }),
    }),
  ),
  {
    method: 'GET',
    path: '/admin/v1/roles/:id/permissions',
    needs: 'roles:read',
    status: 200,
    owned: ['id'],
    prepare: async world => ({ params: { id: await aRole(world) } }),
  },
  {
    method: 'PUT',
    path: '/admin/v1/roles/:id/permissions/:code',
    needs: 'roles:modify',
    status: 204,
    owned: ['id'],
    event: 'role.permission-added',
    prepare: async world => ({ params: { id: await aRole(world), code: 'roles:modify' } }),
  },
  {
    method: 'DELETE',
    path: '/admin/v1/roles/:id/permissions/:code',
    needs: 'roles:modify',
    status: 204,
    owned: ['id'],
    event: 'role.permission-removed',
    prepare: async world => ({ params: { id: await aRole(world, ['roles:modify']), code: 'roles:modify' } }),
  },
]
