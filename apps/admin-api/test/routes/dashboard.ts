import { nothing, type Route } from './route.ts'

export const dashboardRoutes: readonly Route[] = [
  {
    method: 'GET',
    path: '/admin/v1/advisors/me/dashboard',
    needs: 'advisor',
    openTo: ['advisor'],
    status: 200,
    prepare: nothing,
  },
]
