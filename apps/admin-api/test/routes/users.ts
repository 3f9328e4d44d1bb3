import { assignmentRoutes } from './assignments.ts'
import { aPerson, nothing, unique, type Route } from './route.ts'

const userRoute = (path: string) => ({ path: `/admin/v1/users/:id${path}`, owned: ['id'] })

export const usersRoutes: readonly Route[] = [
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
  {
    ...userRoute('/sessions'),
    method: 'GET',
    needs: 'users:read',
    status: 200,
    prepare: async world => ({ params: { id: await aPerson(world) } }),
  },
  {
    ...userRoute('/sessions'),
    method: 'DELETE',
    needs: 'users:modify',
    status: 204,
    event: 'sessions.ended',
    prepare: async world => ({ params: { id: await aPerson(world) } }),
  },
  {
    ...userRoute('/sessions/:session_id'),
    owned: ['id', 'session_id'],
    method: 'DELETE',
    needs: 'users:modify',
    status: 204,
    event: 'session.ended',
    prepare: async ({ cast, company }) => {
      const { userId, sessionId } = await cast.addActor(company)
      return { params: { id: userId, session_id: sessionId } }
    },
  },
  ...assignmentRoutes('users', 'users:read', aPerson),
]
