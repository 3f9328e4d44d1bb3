import { inTenant } from '@signet/db'
import type { UserId } from '@signet/kernel'
import type { TestActor } from '@signet/testkit'
import type { World } from '../world.ts'
import { nothing, unique, type Route } from './route.ts'

export const aClient = async ({ cast, company }: World) => (await cast.addPerson(company, { kind: 'client' })).userId

/** Whoever calls as a client is the only client whom it may name. */
async function clientFor(world: World, caller: TestActor): Promise<UserId> {
  const [row] = await inTenant(
    world.database.db,
    caller.tenantId,
    ({ sql }) => sql<{ kind: string }[]>`select kind from users where id = ${caller.userId}`,
  )
  return row?.kind === 'client' ? caller.userId : aClient(world)
}

async function subClientFor(world: World, caller: TestActor): Promise<UserId> {
  const { cast, company } = world
  return (await cast.addPerson(company, { clientId: await clientFor(world, caller) })).userId
}

const newAccount = () => ({ email: `${unique()}@example.test`, first_name: 'Ada', password_change_required: false })

/** The routes that both kinds have, each with a person of the kind. */
function accountRoutes(
  resource: 'clients' | 'sub-clients',
  anAccount: (world: World, caller: TestActor) => Promise<UserId>,
  openTo: Pick<Route, 'openTo'>,
): Route[] {
  const item = { path: `/admin/v1/${resource}/:id`, owned: ['id'], status: 200, ...openTo }
  const prepare: Route['prepare'] = async (world, caller) => ({ params: { id: await anAccount(world, caller) } })
  const modifies = { method: 'POST' as const, needs: `${resource}:modify` }
  return [
    {
      method: 'GET',
      path: `/admin/v1/${resource}`,
      needs: `${resource}:list`,
      status: 200,
      ...openTo,
      prepare: nothing,
    },
    { ...item, method: 'GET', needs: `${resource}:read`, openTo: ['client'], prepare },
    {
      ...item,
      method: 'PATCH',
      needs: `${resource}:modify`,
      event: 'user.modified',
      prepare: async (...of) => ({ ...(await prepare(...of)), body: { name: 'Ada Lovelace', phone: null } }),
    },
    { ...item, method: 'DELETE', needs: `${resource}:delete`, status: 204, event: 'user.deleted', prepare },
    { ...item, ...modifies, path: `${item.path}/suspend`, event: 'user.suspended', prepare },
    { ...item, ...modifies, path: `${item.path}/activate`, event: 'user.activated', prepare },
  ]
}

export const clientsRoutes: readonly Route[] = [
  ...accountRoutes('clients', clientFor, {}),
  ...accountRoutes('sub-clients', subClientFor, { openTo: ['client'] }),
  {
    method: 'POST',
    path: '/admin/v1/clients',
    needs: 'clients:create',
    status: 201,
    event: 'user.created',
    prepare: async () => ({ body: newAccount() }),
  },
  {
    method: 'POST',
    path: '/admin/v1/sub-clients',
    needs: 'sub-clients:create',
    openTo: ['client'],
    status: 201,
    event: 'user.created',
    prepare: async (world, caller) => ({ body: { ...newAccount(), client_id: await clientFor(world, caller) } }),
  },
  {
    method: 'GET',
    path: '/admin/v1/clients/:id/sub-clients',
    needs: 'sub-clients:list',
    openTo: ['client'],
    status: 200,
    owned: ['id'],
    prepare: async (world, caller) => ({ params: { id: await clientFor(world, caller) } }),
  },
  {
    method: 'POST',
    path: '/admin/v1/clients/:id/sub-clients',
    needs: 'sub-clients:create',
    openTo: ['client'],
    status: 201,
    owned: ['id'],
    event: 'user.created',
    prepare: async (world, caller) => ({ params: { id: await clientFor(world, caller) }, body: newAccount() }),
  },
]
