import type { TestActor } from '@signet/testkit'
import { aRole, nothing, type Route } from './route.ts'

const aQuestion = (caller: TestActor) => ({
  subject: { type: 'user', id: caller.userId },
  action: { name: 'roles:read' },
  resource: { type: 'Role', id: '7' },
})

export const decisionsRoutes: readonly Route[] = [
  {
    method: 'POST',
    path: '/access/v1/evaluation',
    needs: 'sign-in',
    orServiceKey: true,
    status: 200,
    event: null,
    prepare: async (_world, caller) => ({ body: aQuestion(caller) }),
  },
  {
    method: 'POST',
    path: '/access/v1/evaluations',
    needs: 'sign-in',
    orServiceKey: true,
    status: 200,
    event: null,
    prepare: async (_world, caller) => ({ body: { ...aQuestion(caller), evaluations: [{}, {}] } }),
  },
  {
    method: 'GET',
    path: '/.well-known/authzen-configuration',
    needs: 'nothing',
    status: 200,
    prepare: nothing,
  },
  {
    method: 'POST',
    path: '/admin/v1/roles/:id/impact',
    needs: 'roles:modify',
    status: 200,
    owned: ['id'],
    event: null,
    prepare: async world => ({
      params: { id: await aRole(world) },
      body: { permissions: [] },
    }),
  },
]
