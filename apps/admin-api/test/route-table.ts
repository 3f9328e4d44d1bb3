/**
 * Every route of the app, by module. The walks go over this table; a route that is missing here fails them.
 */
import { advisorsRoutes } from './routes/advisors.ts'
import { auditRoutes } from './routes/audit.ts'
import { brandsRoutes } from './routes/brands.ts'
import { clientsRoutes } from './routes/clients.ts'
import { dashboardRoutes } from './routes/dashboard.ts'
import { decisionsRoutes } from './routes/decisions.ts'
import { imagesRoutes } from './routes/images.ts'
import { importsRoutes } from './routes/imports.ts'
import { membershipsRoutes } from './routes/memberships.ts'
import { permissionsRoutes } from './routes/permissions.ts'
import { policiesRoutes } from './routes/policies.ts'
import { rolesRoutes } from './routes/roles.ts'
import { servicesRoutes } from './routes/services.ts'
import { setupRoutes } from './routes/setup.ts'
import { structureRoutes } from './routes/structure.ts'
import { tenantsRoutes } from './routes/tenants.ts'
import { usersRoutes } from './routes/users.ts'
import type { Route } from './routes/route.ts'
import type { World } from './world.ts'

export type { Call, OpenTo, Route } from './routes/route.ts'

export const routes: readonly Route[] = [
  ...setupRoutes,
  ...tenantsRoutes,
  ...usersRoutes,
  ...clientsRoutes,
  ...imagesRoutes,
  ...importsRoutes,
  ...membershipsRoutes,
  ...rolesRoutes,
  ...permissionsRoutes,
  ...policiesRoutes,
  ...advisorsRoutes,
  ...dashboardRoutes,
  ...brandsRoutes,
  ...structureRoutes,
  ...auditRoutes,
  ...decisionsRoutes,
  ...servicesRoutes,
]

export function nameOf({ method, path }: Route): string {
  return `${method} ${path}`
}

export function fill(path: string, params: Readonly<Record<string, string>> = {}): string {
  return path.replace(/:(\w+)/g, (_, name: string) => params[name] ?? `:${name}`)
}

/** Those whom the test of one permission must live in the platform to hold. */
export function isOfThePlatform(permission: string): boolean {
  return /^(tenants:(list|create|delete)|permissions:(create|modify|delete)|services:\w+)$/.test(permission)
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
