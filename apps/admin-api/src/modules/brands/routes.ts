import { type App, problemResponses } from '@signet/http'
import type { BrandId, UserId } from '@signet/kernel'
import { Type } from 'typebox'
import type { Deps } from '../../deps.ts'
import { callerOf } from '../../wire/caller.ts'
import { pageOf, sendPage } from '../../wire/pages.ts'
import { etagOf, Precondition } from '../../wire/versions.ts'
import { type Answer, IdempotencyHeader, onceOf, onceProblems } from '../idempotency/index.ts'
import { BrandChange, BrandParams, BrandQuery, BrandView, CarrierParams, NewBrand } from './schema.ts'
import {
  assignBrand,
  type Brand,
  changeBrand,
  createBrand,
  listBrands,
  readBrand,
  removeBrand,
  withdrawBrand,
} from './service.ts'

const config = { access: {} }
const tags = ['Brands']
const Done = Type.Null({ description: 'Done' })

export function serveBrands(app: App, deps: Deps): void {
  app.get(
    '/brands',
    {
      config,
      schema: {
        operationId: 'listBrands',
        tags,
        summary: 'List brands',
        description: 'Needs `brands:list`.',
        querystring: BrandQuery,
        response: { 200: pageOf(BrandView), ...problemResponses(400, 'invalid-cursor', 401, 403, 503) },
      },
    },
    async (request, reply) =>
      sendPage(reply, request, await listBrands(deps, callerOf(request), request.query), presentBrand),
  )

  app.post(
    '/brands',
    {
      config,
      schema: {
        operationId: 'createBrand',
        tags,
        summary: 'Create a brand',
        description: 'Nobody carries it yet. Needs `brands:create`.',
        headers: IdempotencyHeader,
        body: NewBrand,
        response: {
          201: BrandView,
          ...problemResponses(400, 401, 403, 'brand-name-taken', ...onceProblems, 413, 415, 503),
        },
      },
    },
    async (request, reply) => {
      const once = onceOf(deps.keys.idempotency, request, presentCreated)
      const answer = await createBrand(deps, callerOf(request), request.body, once)
      return reply.code(201).headers(answer.headers).send(answer.body)
    },
  )

  app.get(
    '/brands/:id',
    {
      config,
      schema: {
        operationId: 'readBrand',
        tags,
        summary: 'Read a brand',
        description: 'Needs `brands:read`.',
        params: BrandParams,
        response: { 200: BrandView, ...problemResponses(400, 401, 403, 'brand-not-found', 503) },
      },
    },
    async (request, reply) => {
      const brand = await readBrand(deps, callerOf(request), request.params.id as BrandId)
      reply.header('etag', etagOf(brand))
      return presentBrand(brand)
    },
  )

  app.patch(
    '/brands/:id',
    {
      config,
      schema: {
        operationId: 'changeBrand',
        tags,
        summary: 'Change a brand',
        description: 'All who carry it show the change. Needs `brands:modify`.',
        params: BrandParams,
        headers: Precondition,
        body: BrandChange,
        response: {
          200: BrandView,
          ...problemResponses(400, 401, 403, 'brand-not-found', 'brand-name-taken', 412, 413, 415, 503),
        },
      },
    },
    async (request, reply) => {
      const { params, body, headers } = request
      const brand = await changeBrand(deps, callerOf(request), params.id as BrandId, body, headers['if-match'])
      reply.header('etag', etagOf(brand))
      return presentBrand(brand)
    },
  )

  app.delete(
    '/brands/:id',
    {
      config,
      schema: {
        operationId: 'removeBrand',
        tags,
        summary: 'Delete a brand',
        description: 'One that nobody carries. Needs `brands:delete`.',
        params: BrandParams,
        headers: Precondition,
        response: { 204: Done, ...problemResponses(400, 401, 403, 'brand-not-found', 'brand-in-use', 412, 503) },
      },
    },
    async (request, reply) => {
      await removeBrand(deps, callerOf(request), request.params.id as BrandId, request.headers['if-match'])
      return reply.code(204).send(null)
    },
  )

  for (const [method, operationId, act, summary, description] of [
    [
      'PUT',
      'assignBrand',
      assignBrand,
      'See to it that an advisor carries a brand',
      'In the place of any other. Nothing happens when they do. A tenant carries one by `brand_id` of PATCH /tenants/{id}.',
    ],
    [
      'DELETE',
      'withdrawBrand',
      withdrawBrand,
      'Take a brand away from an advisor',
      'Nothing happens when they carry another one or none.',
    ],
  ] as const) {
    app.route({
      method,
      url: '/brands/:id/advisors/:user_id',
      config,
      schema: {
        operationId,
        tags,
        summary,
        description: `${description} Needs \`brands:modify\` and all that the advisor holds.`,
        params: CarrierParams,
        response: { 204: Done, ...problemResponses(400, 401, 403, 'brand-not-found', 'advisor-not-found', 503) },
      },
      handler: async (request, reply) => {
        const { id, user_id } = request.params
        await act(deps, callerOf(request), id as BrandId, user_id as UserId)
        return reply.code(204).send(null)
      },
    })
  }
}

function presentBrand(brand: Brand): BrandView {
  return {
    id: brand.id,
    name: brand.name,
    logo_url: brand.logoUrl,
    primary_color: brand.primaryColor,
    created_at: brand.createdAt.toISOString(),
    updated_at: brand.updatedAt.toISOString(),
  }
}

function presentCreated(brand: Brand): Answer<BrandView> {
  const headers = { location: `/admin/v1/brands/${brand.id}`, etag: etagOf(brand) }
  return { status: 201, headers, body: presentBrand(brand) }
}
