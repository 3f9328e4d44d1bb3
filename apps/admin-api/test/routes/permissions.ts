import { inTenant } from '@signet/db'
import type { World } from '../world.ts'
import { nothing, unique, type Route } from './route.ts'

async function aPermission({ database, platform }: World): Promise<string> {
  const code = `things-${unique()}:read`
  await inTenant(
    database.db,
    platform,
    ({ sql }) => sql`insert into permissions (code, service) values (${code}, 'things')`,
  )
  return code
}

export const permissionsRoutes: readonly Route[] = [
  { method: 'GET', path: '/admin/v1/permissions', needs: 'permissions:list', status: 200, prepare: nothing },
  {
    method: 'POST',
    path: '/admin/v1/permissions',
    needs: 'permissions:create',
    status: 201,
    event: 'permission.created',
    prepare: async () => ({
      body: { code: `things-${unique()}:read`, service: 'things', description: 'Read a thing' },
    }),
  },
  ...(['GET', 'PATCH', 'DELETE'] as const).map(
    (method): Route => ({
      path: '/admin/v1/permissions/:code',
      method,
      ...{
        GET: { needs: 'permissions:read', status: 200 },
        PATCH: { needs: 'permissions:modify', status: 200, event: 'permission.modified' },
        DELETE: { needs: 'permissions:delete', status: 204, event: 'permission.deleted' },
      }[method],
      prepare: async world => ({
        params: { code: await aPermission(world) },
        ...(method === 'PATCH' ? { body: { description: 'Read a thing' } } : {}),
      }),
    }),
  ),
]
