import { type App, problemResponses } from '@signet/http'
import type { TenantId } from '@signet/kernel'
import { Type } from 'typebox'
import type { Deps } from '../../deps.ts'
import { callerOf } from '../../wire/caller.ts'
import { pageOf, sendPage } from '../../wire/pages.ts'
import { etagOf, Precondition } from '../../wire/versions.ts'
import { type Answer, IdempotencyHeader, onceOf, onceProblems } from '../idempotency/index.ts'
import { NewTenant, TenantChange, TenantParams, TenantQuery, TenantView } from './schema.ts'
import { changeTenant, createTenant, listTenants, readTenant, removeTenant, type Tenant } from './service.ts'

const config = { access: {} }
const tags = ['Tenants']

export function serveTenants(app: App, deps: Deps): void {
  app.get(
    '/tenants',
    {
      config,
      schema: {
        tags,
        operationId: 'listTenants',
        summary: 'List tenants',
        description: 'All of the installation. Needs `tenants:list`, which the platform alone holds.',
        querystring: TenantQuery,
        response: { 200: pageOf(TenantView), ...problemResponses(400, 'invalid-cursor', 401, 403, 503) },
      },
    },
    async (request, reply) =>
      sendPage(reply, request, await listTenants(deps, callerOf(request), request.query), presentTenant),
  )

  app.post(
    '/tenants',
    {
      config,
      schema: {
        tags,
        operationId: 'createTenant',
        summary: 'Create a tenant',
        description:
          'With its built-in roles. Its first person is made by entering it: `POST /api/v1/tokens/tenant`, then ' +
          '`POST /admin/v1/users`. Needs `tenants:create`, which the platform alone holds.',
        headers: IdempotencyHeader,
        body: NewTenant,
        response: {
          201: TenantView,
          ...problemResponses(400, 401, 403, 'tenant-slug-taken', ...onceProblems, 413, 415, 503),
        },
      },
    },
    async (request, reply) => {
      const once = onceOf(deps.keys.idempotency, request, presentCreated)
      const answer = await createTenant(deps, callerOf(request), request.body, once)
      return reply.code(201).headers(answer.headers).send(answer.body)
    },
  )

  app.get(
    '/tenants/:id',
    {
      config,
      schema: {
        tags,
        operationId: 'readTenant',
        summary: 'Read a tenant',
        description: "One's own with `tenants:read`, any other with `tenants:list` as well.",
        params: TenantParams,
        response: { 200: TenantView, ...problemResponses(400, 401, 403, 'tenant-not-found', 503) },
      },
    },
    async (request, reply) => {
      const tenant = await readTenant(deps, callerOf(request), request.params.id as TenantId)
      reply.header('etag', etagOf(tenant))
      return presentTenant(tenant)
    },
  )

  app.patch(
    '/tenants/:id',
    {
      config,
      schema: {
        tags,
        operationId: 'changeTenant',
        summary: 'Change a tenant',
        description:
          "One's own with `tenants:modify`; its status, and other tenants, as `super_admin`. A tenant that is suspended " +
          'or closed has no session left.',
        params: TenantParams,
        headers: Precondition,
        body: TenantChange,
        response: {
          200: TenantView,
          ...problemResponses(
            400,
            401,
            403,
            'tenant-not-found',
            'brand-not-found',
            'tenant-in-use',
            412,
            413,
            415,
            503,
          ),
        },
      },
    },
    async (request, reply) => {
      const { params, body, headers } = request
      const tenant = await changeTenant(deps, callerOf(request), params.id as TenantId, body, headers['if-match'])
      reply.header('etag', etagOf(tenant))
      return presentTenant(tenant)
    },
  )

  app.delete(
    '/tenants/:id',
    {
      config,
      schema: {
        tags,
        operationId: 'removeTenant',
        summary: 'Delete a tenant',
        description:
          'One that was never used; others are closed. Needs `tenants:delete`, which the platform alone holds.',
        params: TenantParams,
        headers: Precondition,
        response: {
          204: Type.Null({ description: 'Deleted' }),
          ...problemResponses(400, 401, 403, 'tenant-not-found', 'tenant-in-use', 412, 503),
        },
      },
    },
    async (request, reply) => {
      await removeTenant(deps, callerOf(request), request.params.id as TenantId, request.headers['if-match'])
      return reply.code(204).send(null)
    },
  )
}

function presentTenant(tenant: Tenant): TenantView {
  const { id, slug, name, status, isPlatform, settings, logoKey, brandId, createdAt, updatedAt } = tenant
  return {
    id,
    slug,
    name,
    status,
    is_platform: isPlatform,
    settings,
    has_logo: logoKey !== null,
    brand_id: brandId,
    created_at: createdAt.toISOString(),
    updated_at: updatedAt.toISOString(),
  }
}

function presentCreated(tenant: Tenant): Answer<TenantView> {
  const headers = { location: `/admin/v1/tenants/${tenant.id}`, etag: etagOf(tenant) }
  return { status: 201, headers, body: presentTenant(tenant) }
}
