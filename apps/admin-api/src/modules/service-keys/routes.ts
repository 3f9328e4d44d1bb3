import { type App, problemResponses } from '@signet/http'
import type { ServiceKeyId } from '@signet/kernel'
import { Type } from 'typebox'
import type { Deps } from '../../deps.ts'
import { callerOf } from '../../wire/caller.ts'
import { pageOf, sendPage } from '../../wire/pages.ts'
import {
  IssuedKeyView,
  NewServiceKey,
  ServiceKeyParams,
  ServiceKeyQuery,
  ServiceKeyView,
  ServiceParams,
} from './schema.ts'
import { issueKey, listKeys, type ServiceKey, withdrawKey } from './service.ts'

const config = { access: {} }
const tags = ['Services']

export function serveServiceKeys(app: App, deps: Deps): void {
  app.get(
    '/services/:id/keys',
    {
      config,
      schema: {
        operationId: 'listServiceKeys',
        tags,
        summary: 'List the keys of a service',
        description: 'None is shown. Needs `services:read`, which the platform alone holds.',
        params: ServiceParams,
        querystring: ServiceKeyQuery,
        response: {
          200: pageOf(ServiceKeyView),
          ...problemResponses(400, 'invalid-cursor', 401, 403, 'service-not-found', 503),
        },
      },
    },
    async (request, reply) => {
      const page = await listKeys(deps, callerOf(request), request.params.id, request.query)
      return sendPage(reply, request, page, presentKey)
    },
  )

  app.post(
    '/services/:id/keys',
    {
      config,
      schema: {
        operationId: 'createServiceKey',
        tags,
        summary: 'Issue a key to a service',
        description:
          'The answer shows it once; it is kept as a hash, so no Idempotency-Key can bring it back. Issue a second one, put ' +
          'it in place, then withdraw the first. Needs `services:modify`, which the platform alone holds.',
        params: ServiceParams,
        body: NewServiceKey,
        response: { 201: IssuedKeyView, ...problemResponses(400, 401, 403, 'service-not-found', 413, 415, 503) },
      },
    },
    async (request, reply) => {
      const issued = await issueKey(deps, callerOf(request), request.params.id, request.body)
      return reply
        .code(201)
        .header('cache-control', 'no-store')
        .header('location', `/admin/v1/services/${issued.serviceId}/keys/${issued.id}`)
        .send({ ...presentKey(issued), key: issued.key })
    },
  )

  app.delete(
    '/services/:id/keys/:key_id',
    {
      config,
      schema: {
        operationId: 'removeServiceKey',
        tags,
        summary: 'Withdraw a key',
        description:
          'Every program refuses it within five seconds. Needs `services:modify`, which the platform alone holds.',
        params: ServiceKeyParams,
        response: {
          204: Type.Null({ description: 'Withdrawn' }),
          ...problemResponses(400, 401, 403, 'service-not-found', 'service-key-not-found', 503),
        },
      },
    },
    async (request, reply) => {
      const { id, key_id: keyId } = request.params
      await withdrawKey(deps, callerOf(request), id, keyId as ServiceKeyId)
      return reply.code(204).send(null)
    },
  )
}

function presentKey({ id, serviceId, name, createdAt, expiresAt, lastUsedAt }: ServiceKey): ServiceKeyView {
  return {
    id,
    service_id: serviceId,
    name,
    created_at: createdAt.toISOString(),
    expires_at: expiresAt?.toISOString() ?? null,
    last_used_at: lastUsedAt?.toISOString() ?? null,
  }
}
