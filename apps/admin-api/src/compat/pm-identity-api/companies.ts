import type { App } from '@signet/http'
import type { TenantId } from '@signet/kernel'
import { type Static, Type } from 'typebox'
import type { Deps } from '../../deps.ts'
import { changeTenant, createTenant, listTenants, readTenant, removeTenant } from '../../modules/tenants/index.ts'
import { callerOf } from '../../wire/caller.ts'
import { withoutNulls } from './bodies.ts'
import { CompanyBody, CompanyChange, profileOf } from './companies-body.ts'
import { CompanyView, presentCompany } from './companies-view.ts'
import { collectPages, eachTime, Gone, IdParams } from './lists.ts'
import { config, describeRoute } from './route-options.ts'
import { whereAllowed } from './users-read.ts'

export function serveCompanies(scope: App, deps: Deps): void {
  scope.get(
    '/companies',
    {
      config,
      schema: describeRoute(
        {
          operationId: 'listCompanies',
          summary: 'List companies',
          description:
            "The caller's own; all for whoever holds `tenants:list`. Instead: GET /admin/v1/tenants. Needs `tenants:read`.",
        },
        {},
        { 200: Type.Array(CompanyView) },
      ),
    },
    async (request, reply) => {
      const caller = callerOf(request)
      const all = collectPages(reply, '/admin/v1/tenants', 'created_at', query => listTenants(deps, caller, query))
      const companies = (await whereAllowed(all)) ?? [await readTenant(deps, caller, caller.tenantId)]
      return companies.map(presentCompany)
    },
  )

  scope.post(
    '/companies',
    {
      config,
      schema: describeRoute(
        {
          operationId: 'createCompany',
          summary: 'Create a company',
          description: 'Instead: POST /admin/v1/tenants. Needs `tenants:create`, which the platform alone holds.',
        },
        { body: CompanyBody },
        { 201: CompanyView },
        409,
      ),
    },
    async (request, reply) => {
      const { name, ...rest } = request.body
      const company = { name, settings: { profile: withoutNulls(profileOf(rest)) } }
      const { body: made } = await createTenant(deps, callerOf(request), company, eachTime())
      return reply.code(201).send(presentCompany(made))
    },
  )

  scope.get(
    '/companies/:id',
    {
      config,
      schema: describeRoute(
        {
          operationId: 'readCompany',
          summary: 'Read a company',
          description: 'Instead: GET /admin/v1/tenants/{id}. Needs `tenants:read`.',
        },
        { params: IdParams },
        { 200: CompanyView },
        404,
      ),
    },
    async request => presentCompany(await readTenant(deps, callerOf(request), request.params.id as TenantId)),
  )

  for (const method of ['PUT', 'PATCH'] as const) {
    scope.route({
      method,
      url: '/companies/:id',
      config,
      schema: describeRoute(
        {
          operationId: method === 'PUT' ? 'replaceCompany' : 'changeCompany',
          summary: 'Change a company',
          description: 'The members that are sent. Instead: PATCH /admin/v1/tenants/{id}. Needs `tenants:modify`.',
        },
        { params: IdParams, body: CompanyChange },
        { 200: CompanyView },
        404,
        409,
      ),
      handler: async request => {
        const { params, body } = request
        const changed = await changeTenant(deps, callerOf(request), params.id as TenantId, changeOf(body), undefined)
        return presentCompany(changed)
      },
    })
  }

  scope.delete(
    '/companies/:id',
    {
      config,
      schema: describeRoute(
        {
          operationId: 'removeCompany',
          summary: 'Delete a company',
          description:
            'One that was never used. Instead: DELETE /admin/v1/tenants/{id}. Needs `tenants:delete`, which the platform alone holds.',
        },
        { params: IdParams },
        { 204: Gone },
        404,
        409,
      ),
    },
    async (request, reply) => {
      await removeTenant(deps, callerOf(request), request.params.id as TenantId, undefined)
      return reply.code(204).send(null)
    },
  )
}

function changeOf({ name, ...rest }: Static<typeof CompanyChange>) {
  return { ...withoutNulls({ name }), settings: { profile: profileOf(rest) } }
}
