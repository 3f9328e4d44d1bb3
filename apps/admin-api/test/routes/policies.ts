import { inTenant } from '@signet/db'
import type { World } from '../world.ts'
import { anyVersion, aPerson, aRole, nothing, type Route, unique } from './route.ts'

const source =
  'permit (principal in ?principal, action == Action::"policies:modify", resource) when { resource.is_open };'

/** One that names what those who change policies hold, made by the company's administrator. */
export async function aPolicy({ call, admin }: World, codes = ['policies:modify']): Promise<string> {
  const body = { name: `policy ${unique()}`, form: [{ effect: 'permit', actions: codes }] }
  return (await call(admin, 'POST', 'policies', body)).body.id
}

function attachmentRoutes(parent: 'users' | 'roles', aHolder: (world: World) => Promise<string>): Route[] {
  const list = { path: `/admin/v1/${parent}/:id/policies`, owned: ['id'] }
  const item = { path: `/admin/v1/${parent}/:id/policies/:policy_id`, owned: ['id', 'policy_id'] }
  return [
    {
      ...list,
      method: 'GET',
      needs: 'policies:read',
      status: 200,
      prepare: async world => ({ params: { id: await aHolder(world) } }),
    },
    {
      ...item,
      method: 'PUT',
      needs: 'policies:modify',
      status: 204,
      event: 'policy.attached',
      prepare: async world => ({ params: { id: await aHolder(world), policy_id: await aPolicy(world) } }),
    },
    {
      ...item,
      method: 'DELETE',
      needs: 'policies:modify',
      status: 204,
      event: 'policy.detached',
      prepare: async world => {
        const [id, policyId] = [await aHolder(world), await aPolicy(world)]
        const holder = parent === 'users' ? 'user_id' : 'role_id'
        await inTenant(
          world.database.db,
          world.company,
          ({ sql }) => sql`insert into policy_attachments (tenant_id, policy_id, ${sql(holder)})
            values (${world.company}, ${policyId}, ${id})`,
        )
        return { params: { id, policy_id: policyId } }
      },
    },
  ]
}

export const policiesRoutes: readonly Route[] = [
  { method: 'GET', path: '/admin/v1/policies', needs: 'policies:list', status: 200, prepare: nothing },
  {
    method: 'POST',
    path: '/admin/v1/policies',
    needs: 'policies:create',
    status: 201,
    event: 'policy.created',
    prepare: async () => ({
      body: { name: `policy ${unique()}`, description: 'made by a test', source: source.replace('modify', 'create') },
    }),
  },
  {
    method: 'POST',
    path: '/admin/v1/policies/validate',
    needs: 'policies:read',
    status: 200,
    event: null,
    prepare: async () => ({ body: { source } }),
  },
  ...(['GET', 'PATCH', 'DELETE'] as const).map(
    (method): Route => ({
      path: '/admin/v1/policies/:id',
      owned: ['id'],
      method,
      ...{
        GET: { needs: 'policies:read', status: 200 },
        PATCH: { needs: 'policies:modify', status: 200, event: 'policy.modified' },
        DELETE: { needs: 'policies:delete', status: 204, event: 'policy.deleted' },
      }[method],
      prepare: async world => ({
        params: { id: await aPolicy(world, [method === 'DELETE' ? 'policies:delete' : 'policies:modify']) },
        headers: anyVersion,
        ...(method === 'PATCH' ? { body: { name: `policy ${unique()}`, source } } : {}),
      }),
    }),
  ),
  {
    method: 'POST',
    path: '/admin/v1/users/:id/policies',
    needs: 'policies:modify',
    status: 201,
    owned: ['id'],
    event: 'policy.attached',
    prepare: async world => ({ params: { id: await aPerson(world) }, body: { policy_id: await aPolicy(world) } }),
  },
  {
    method: 'GET',
    path: '/admin/v1/policies/:id/attachments',
    needs: 'policies:read',
    status: 200,
    owned: ['id'],
    prepare: async world => ({ params: { id: await aPolicy(world) } }),
  },
  ...attachmentRoutes('users', aPerson),
  ...attachmentRoutes('roles', aRole),
]
