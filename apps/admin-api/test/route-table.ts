/**
 * Every route of the app, with what it needs, a call that works, and the event that it leaves. The walks go over this
 * table; a route that is missing here fails them.
 */
import { inTenant } from '@signet/db'
import { newId } from '@signet/kernel'
import type { Method, World } from './world.ts'

export interface Call {
  /** Values of the path's parameters. */
  readonly params?: Readonly<Record<string, string>>
  readonly body?: Readonly<Record<string, unknown>>
  readonly headers?: Readonly<Record<string, string>>
}

export interface Route {
  readonly method: Method
  readonly path: string
  /** `nothing`, `staff` (of the platform), or a permission. */
  readonly needs: string
  readonly status: number
  /** A call that works, with rows of the company made for it. */
  readonly prepare: (world: World) => Promise<Call>
  /** Parameters that name rows of a tenant: with a stranger's they find nothing. */
  readonly owned?: readonly string[]
  /** The audit event of a route that changes something. */
  readonly event?: string
}

const nothing = async (): Promise<Call> => ({})
const unique = () => newId().slice(-12)
/** Somebody who has the role and whom a client may be assigned to. */
const aPair = async ({ cast, company }: World) => ({
  id: (await cast.addPerson(company, { roles: ['advisor'] })).userId,
  user_id: (await cast.addPerson(company)).userId,
})
const anyVersion = { 'if-match': '*' }

const aPerson = async ({ cast, company }: World) => (await cast.addPerson(company)).userId
const aRole = ({ cast, company }: World, permissions: string[] = []) => cast.addRole(company, permissions)
const aGuest = async ({ cast, company, other }: World) => cast.addGuest(company, await cast.addPerson(other), [])

async function aPermission({ database, platform }: World): Promise<string> {
  const code = `things-${unique()}:read`
  await inTenant(
    database.db,
    platform,
    ({ sql }) => sql`insert into permissions (code, service) values (${code}, 'things')`,
  )
  return code
}

async function anEvent({ database, company }: World): Promise<string> {
  const [event] = await inTenant(
    database.db,
    company,
    ({ sql }) => sql<{ id: string }[]>`select id from audit_events limit 1`,
  )
  return event?.id ?? ''
}

const userRoute = (path: string) => ({ path: `/admin/v1/users/:id${path}`, owned: ['id'] })

/** The same four routes hang on people and on memberships. */
function assignmentRoutes(
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

export const routes: readonly Route[] = [
  ...['/livez', '/readyz', '/version', '/health', '/admin/v1/bootstrap'].map(
    (path): Route => ({ method: 'GET', path, needs: 'nothing', status: 200, prepare: nothing }),
  ),
  {
    method: 'POST',
    path: '/admin/v1/bootstrap',
    needs: 'nothing',
    // The world of these tests has its platform; setup.test.ts begins without one.
    status: 409,
    prepare: async () => ({
      body: { company: { name: 'Late' }, user: { email: 'late@example.test', password: 'correct horse battery' } },
    }),
  },
  { method: 'GET', path: '/config', needs: 'staff', status: 200, prepare: nothing },

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

  { method: 'GET', path: '/admin/v1/users', needs: 'users:list', status: 200, prepare: nothing },
  {
    method: 'POST',
    path: '/admin/v1/users',
    needs: 'users:create',
    status: 201,
    event: 'user.created',
    prepare: async () => ({ body: { email: `${unique()}@example.test`, first_name: 'Ada', language: 'fr' } }),
  },
  ...(['GET', 'PATCH', 'DELETE'] as const).map(
    (method): Route => ({
      ...userRoute(''),
      method,
      ...{
        GET: { needs: 'users:read', status: 200 },
        PATCH: { needs: 'users:modify', status: 200, event: 'user.modified' },
        DELETE: { needs: 'users:delete', status: 204, event: 'user.deleted' },
      }[method],
      prepare: async world => ({
        params: { id: await aPerson(world) },
        ...(method === 'PATCH' ? { body: { name: 'Ada Lovelace', phone: null } } : {}),
      }),
    }),
  ),
  {
    ...userRoute('/permissions'),
    method: 'GET',
    needs: 'users:read',
    status: 200,
    prepare: async world => ({ params: { id: await aPerson(world) } }),
  },
  {
    ...userRoute('/suspend'),
    method: 'POST',
    needs: 'users:modify',
    status: 200,
    event: 'user.suspended',
    prepare: async world => ({ params: { id: await aPerson(world) } }),
  },
  {
    ...userRoute('/activate'),
    method: 'POST',
    needs: 'users:modify',
    status: 200,
    event: 'user.activated',
    prepare: async world => {
      const id = await aPerson(world)
      await world.call(world.admin, 'POST', `users/${id}/suspend`)
      return { params: { id } }
    },
  },
  {
    ...userRoute('/reset-password'),
    method: 'POST',
    needs: 'users:modify',
    status: 200,
    event: 'password.reset',
    prepare: async world => ({ params: { id: await aPerson(world) } }),
  },
  ...assignmentRoutes('users', 'users:read', aPerson),

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
  ...assignmentRoutes('memberships', 'memberships:read', aGuest),

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

  { method: 'GET', path: '/admin/v1/audit-events', needs: 'audit-events:list', status: 200, prepare: nothing },
  {
    method: 'GET',
    path: '/admin/v1/audit-events/:id',
    needs: 'audit-events:read',
    status: 200,
    owned: ['id'],
    prepare: async world => ({ params: { id: await anEvent(world) } }),
  },
]

export function nameOf({ method, path }: Route): string {
  return `${method} ${path}`
}

export function fill(path: string, params: Readonly<Record<string, string>> = {}): string {
  return path.replace(/:(\w+)/g, (_, name: string) => params[name] ?? `:${name}`)
}

/** Those whom the test of one permission must live in the platform to hold. */
export function isOfThePlatform(permission: string): boolean {
  return /^(tenants:(list|create|delete)|permissions:(create|modify|delete))$/.test(permission)
}

/** Every method and path that the running app answers, but for HEAD and the API reference. */
export function listServedRoutes({ app }: World): string[] {
  const parents: string[] = []
  return app
    .printRoutes({ commonPrefix: false })
    .split('\n')
    .flatMap(line => {
      const [, indent = '', path = '', methods = ''] = /^([│ ]*)[├└]── (\S+) \((.*)\)$/.exec(line) ?? []
      const depth = indent.length / 4
      parents.splice(depth)
      parents.push(path)
      const whole = parents.join('')
      if (path === '' || whole.startsWith('/docs') || whole === '/openapi.json') return []
      return methods.split(', ').flatMap(method => (method === 'HEAD' ? [] : [`${method} ${whole}`]))
    })
}
