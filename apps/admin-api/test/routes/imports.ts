import { nothing, unique, type Route } from './route.ts'

export const importsRoutes: readonly Route[] = [
  {
    method: 'POST',
    path: '/admin/v1/users/import',
    needs: 'users:create',
    status: 200,
    event: 'user.imported',
    prepare: async () => ({
      bytes: Buffer.from(`{"email":"${unique()}@example.test","name":"Ada"}\n`),
      headers: { 'content-type': 'application/x-ndjson' },
    }),
  },
  { method: 'GET', path: '/admin/v1/users/export', needs: 'users:list', status: 200, prepare: nothing },
]
