/**
 * Routes of eng-identity (CONTRACT section 5). Every answer but the map of services carries `ok`, failures `{ ok: false, error }`;
 * unknown members are ignored. The token is a bearer or the issuer's cookie.
 */
import { answerInOk, type App, IdText, okFailures, requireServiceKey, type ServiceKeyring } from '@signet/http'
import { type BrandId, problem } from '@signet/kernel'
import { Type } from 'typebox'
import { BrandView, findBrandAnywhere } from '../modules/brands/index.ts'
import { callerOf } from '../wire/caller.ts'
import { readAdvisorDashboard } from './advisor-dashboard.ts'
import { changeByEmail } from './change-by-email.ts'
import type { CompatDeps } from './compat-deps.ts'
import { mapServices } from './service-map.ts'

const tags = ['eng-identity']
const Ok = Type.Literal(true)

/** Call it in a scope of its own: whatever fails there is answered in the form of eng-identity. */
export function serveEngIdentity(scope: App, deps: CompatDeps, serviceKeys: ServiceKeyring): void {
  answerInOk(scope)
  serveDashboard(scope, deps)
  servePeople(scope, deps)
  serveBrand(scope, deps, serviceKeys)
  scope.get(
    '/gateway/routes',
    {
      config: { access: 'public' },
      schema: {
        tags,
        operationId: 'listServiceUrls',
        summary: 'Where the services are',
        description:
          'A plain object: the name of each service with its base URL, of those in `ENG_<NAME>_URL` and the usual ones. Instead: `GET /admin/v1/gateway/routes`.',
        response: {
          200: Type.Record(Type.String(), Type.String(), {
            examples: [{ 'eng-identity': 'http://localhost:4000', 'eng-billing': 'http://localhost:5003' }],
          }),
        },
      },
    },
    async () => mapServices(deps),
  )
}

function serveDashboard(scope: App, deps: CompatDeps): void {
  const Count = Type.Number({ examples: [3] })
  scope.get(
    '/api/v1/advisor/dashboard',
    {
      config: { access: {} },
      schema: {
        tags,
        operationId: 'readDashboardData',
        summary: 'The dashboard of an advisor',
        description:
          'Clients that the service `lifecycle` knows and those advised here, and the balance that `billing` knows. Needs the role `advisor`. Instead: `GET /admin/v1/advisors/me/dashboard`.',
        response: {
          200: Type.Object({
            ok: Ok,
            dashboard_data: Type.Object({
              stats: Type.Object({ active_clients: Count, pending_reviews: Count, tokens_remaining: Count }),
              clients: Type.Array(
                Type.Record(Type.String(), Type.Unknown(), {
                  examples: [{ name: 'Ada Lovelace', email: 'ada@example.com', status: 'Active' }],
                }),
              ),
            }),
          }),
          ...okFailures(401, 403, 503),
        },
      },
    },
    async (request, reply) => {
      reply.header('cache-control', 'private, no-store')
      return { ok: true as const, dashboard_data: await readAdvisorDashboard(deps, callerOf(request)) }
    },
  )
}

function servePeople(scope: App, deps: CompatDeps): void {
  scope.patch(
    '/admin/users/:email',
    {
      config: { access: {} },
      schema: {
        tags,
        operationId: 'changeUserByEmail',
        summary: 'Give a role, or suspend',
        description:
          '`client` is neither `admin` nor `advisor`. Needs `users:modify`, for a role `memberships:modify`, and all that the person holds. Instead: `PATCH /admin/v1/users/{id}`.',
        params: Type.Object({ email: Type.String({ maxLength: 254, examples: ['ada@example.com'] }) }),
        body: Type.Object({
          role: Type.Optional(Type.Enum(['client', 'advisor', 'admin'])),
          is_active: Type.Optional(Type.Boolean()),
        }),
        response: {
          200: Type.Object({ ok: Ok, message: Type.String({ examples: ['User updated'] }) }),
          ...okFailures(400, 401, 403, 404, 409, 503),
        },
      },
    },
    async request => {
      await changeByEmail(deps, callerOf(request), request.params.email, request.body)
      return { ok: true as const, message: 'User updated' }
    },
  )
}

function serveBrand(scope: App, deps: CompatDeps, serviceKeys: ServiceKeyring): void {
  const { id, logo_url, primary_color } = BrandView.properties
  const name = Type.String({ examples: ['Harbour Advice'] })
  scope.get(
    '/api/v1/brands/:brand_id',
    {
      config: { access: 'public', serviceKey: true },
      onRequest: requireServiceKey(serviceKeys),
      schema: {
        tags,
        operationId: 'readBrandById',
        summary: 'Read a brand',
        description: 'Of any tenant, for other services. Instead: `GET /admin/v1/brands/{id}`.',
        params: Type.Object({ brand_id: IdText }),
        response: {
          200: Type.Object({ ok: Ok, brand: Type.Object({ id, name, logo_url, primary_color }) }),
          ...okFailures(400, 401, 404, 503),
        },
      },
    },
    async request => {
      const brand = await findBrandAnywhere(deps.db, request.params.brand_id as BrandId)
      if (brand === undefined) throw problem('brand-not-found')
      return { ok: true as const, brand }
    },
  )
}
