import { nothing, type Route } from './route.ts'

export const setupRoutes: readonly Route[] = [
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
]
