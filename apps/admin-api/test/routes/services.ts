import { inTenant } from '@signet/db'
import { newId } from '@signet/kernel'
import type { World } from '../world.ts'
import { nothing, unique, type Route } from './route.ts'

async function aService({ database, platform }: World): Promise<string> {
  const id = newId()
  const name = `things-${unique()}`
  await inTenant(
    database.db,
    platform,
    ({ sql }) => sql`insert into services (id, name, base_url) values (${id}, ${name}, 'http://things.test:5002')`,
  )
  return id
}

async function aKey({ database, platform }: World, service: string): Promise<string> {
  const id = newId()
  await inTenant(
    database.db,
    platform,
    ({ sql }) =>
      sql`insert into service_keys (id, service_id, key_hash) values (${id}, ${service}, ${Buffer.from(id)})`,
  )
  return id
}

const registration = () => {
  const thing = `things-${unique()}`
  return {
    description: 'Things of a test',
    base_url: 'http://things.test:5002',
    health_url: 'http://things.test:5002/readyz',
    routes: [{ path: `/${thing}/{id}`, methods: ['GET'], access: { permissions: [`${thing}:read`] } }],
  }
}

export const servicesRoutes: readonly Route[] = [
  { method: 'GET', path: '/admin/v1/services', needs: 'services:list', status: 200, prepare: nothing },
  {
    method: 'POST',
    path: '/admin/v1/services',
    needs: 'services:create',
    status: 201,
    event: 'service.created',
    prepare: async () => ({ body: { name: `things-${unique()}`, ...registration() } }),
  },
  ...(['GET', 'PUT', 'PATCH', 'DELETE'] as const).map(
    (method): Route => ({
      path: '/admin/v1/services/:id',
      method,
      ...{
        GET: { needs: 'services:read', status: 200, orServiceKey: true as const },
        PUT: { needs: 'services:modify', status: 200, orServiceKey: true as const, event: 'service.modified' },
        PATCH: { needs: 'services:modify', status: 200, event: 'service.modified' },
        DELETE: { needs: 'services:delete', status: 204, event: 'service.deleted' },
      }[method],
      prepare: async world => ({
        params: { id: await aService(world) },
        ...(method === 'PUT' ? { body: registration() } : {}),
        ...(method === 'PATCH' ? { body: { description: 'Other things' } } : {}),
      }),
    }),
  ),
  {
    method: 'GET',
    path: '/admin/v1/services/:id/keys',
    needs: 'services:read',
    status: 200,
    prepare: async world => ({ params: { id: await aService(world) } }),
  },
  {
    method: 'POST',
    path: '/admin/v1/services/:id/keys',
    needs: 'services:modify',
    status: 201,
    event: 'service-key.created',
    prepare: async world => ({
      params: { id: await aService(world) },
      body: { name: 'of a test', expires_at: '2050-01-01T00:00:00Z' },
    }),
  },
  {
    method: 'DELETE',
    path: '/admin/v1/services/:id/keys/:key_id',
    needs: 'services:modify',
    status: 204,
    event: 'service-key.deleted',
    prepare: async world => {
      const id = await aService(world)
      return { params: { id, key_id: await aKey(world, id) } }
    },
  },
  {
    method: 'GET',
    path: '/admin/v1/gateway/routes',
    needs: 'gateway-routes:list',
    status: 200,
    orServiceKey: true,
    prepare: nothing,
  },
]
