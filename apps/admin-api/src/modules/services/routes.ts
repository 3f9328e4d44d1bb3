import { type App, problemResponses } from '@signet/http'
import { Type } from 'typebox'
import { callerOf, eitherCallerOf } from '../../wire/caller.ts'
import { pageOf, sendPage } from '../../wire/pages.ts'
import { etagOf, Precondition } from '../../wire/versions.ts'
import { type Answer, IdempotencyHeader, onceOf, onceProblems } from '../idempotency/index.ts'
import {
  NewService,
  Registration,
  RegistrationQuery,
  RegistrationView,
  ServiceChange,
  ServiceParams,
  ServiceQuery,
  ServiceView,
} from './schema.ts'
import {
  changeService,
  createService,
  listServices,
  readService,
  type RegisteredService,
  registerService,
  type RegistryDeps,
  removeService,
  type Service,
} from './service.ts'

const config = { access: {} }
const orKey = { access: {}, serviceKey: 'or-bearer' } as const
const tags = ['Services']
/** An API's document is larger than what people write. */
const bodyLimit = 2 * 1024 * 1024

export function serveServices(app: App, deps: RegistryDeps): void {
  app.get(
    '/services',
    {
      config,
      schema: {
        operationId: 'listServices',
        tags,
        summary: 'List services',
        description: 'What stands behind the gateway. Needs `services:list`, which the platform alone holds.',
        querystring: ServiceQuery,
        response: { 200: pageOf(ServiceView), ...problemResponses(400, 'invalid-cursor', 401, 403, 503) },
      },
    },
    async (request, reply) =>
      sendPage(reply, request, await listServices(deps, callerOf(request), request.query), presentService),
  )

  app.post(
    '/services',
    {
      config,
      bodyLimit,
      schema: {
        operationId: 'createService',
        tags,
        summary: 'Register a service',
        description:
          'The permissions that its routes need come into the catalogue. Needs `services:create`, which the platform alone holds.',
        headers: IdempotencyHeader,
        body: NewService,
        response: {
          201: RegistrationView,
          ...problemResponses(
            400,
            401,
            403,
            'service-name-taken',
            'gateway-route-taken',
            'permission-code-taken',
            'concurrent-change',
            ...onceProblems,
            413,
            415,
            'invalid-api-description',
            503,
          ),
        },
      },
    },
    async (request, reply) => {
      const once = onceOf(deps.keys.idempotency, request, presentCreated)
      const answer = await createService(deps, callerOf(request), request.body, once)
      return reply.code(201).headers(answer.headers).send(answer.body)
    },
  )

  app.get(
    '/services/:id',
    {
      config: orKey,
      schema: {
        operationId: 'readService',
        tags,
        summary: 'Read a service',
        description: 'By id or name. Needs `services:read`, or the key of the service itself.',
        params: ServiceParams,
        response: { 200: ServiceView, ...problemResponses(400, 401, 403, 'service-not-found', 503) },
      },
    },
    async (request, reply) => {
      const service = await readService(deps, eitherCallerOf(request), request.params.id)
      reply.header('etag', etagOf(service))
      return presentService(service)
    },
  )

  app.put(
    '/services/:id',
    {
      config: orKey,
      bodyLimit,
      schema: {
        operationId: 'registerService',
        tags,
        summary: 'Register a service anew',
        description:
          'By id or name, as a service does it at each start; the same registration twice changes nothing but the version. ' +
          'Needs `services:modify` (and `services:create` for a name that is not there), the key of the service itself, or ' +
          'one of the settings, which registers any.',
        params: ServiceParams,
        querystring: RegistrationQuery,
        headers: Precondition,
        body: Registration,
        response: {
          200: RegistrationView,
          201: RegistrationView,
          ...problemResponses(
            400,
            401,
            403,
            'service-not-found',
            'service-name-taken',
            'gateway-route-taken',
            'permission-code-taken',
            'concurrent-change',
            412,
            413,
            415,
            'invalid-api-description',
            503,
          ),
        },
      },
    },
    async (request, reply) => {
      const { params, body, headers, query } = request
      const caller = eitherCallerOf(request)
      const { service, isNew } = await registerService(
        deps,
        caller,
        params.id,
        body,
        headers['if-match'],
        query.dry_run,
      )
      if (query.dry_run) return presentRegistered(service)
      reply.header('etag', etagOf(service))
      if (isNew) reply.code(201).header('location', locationOf(service))
      return presentRegistered(service)
    },
  )

  app.patch(
    '/services/:id',
    {
      config,
      bodyLimit,
      schema: {
        operationId: 'changeService',
        tags,
        summary: 'Change a service',
        description: 'Needs `services:modify`, which the platform alone holds.',
        params: ServiceParams,
        headers: Precondition,
        body: ServiceChange,
        response: {
          200: RegistrationView,
          ...problemResponses(
            400,
            401,
            403,
            'service-not-found',
            'service-name-taken',
            'gateway-route-taken',
            'permission-code-taken',
            'concurrent-change',
            412,
            413,
            415,
            'invalid-api-description',
            503,
          ),
        },
      },
    },
    async (request, reply) => {
      const { params, body, headers } = request
      const service = await changeService(deps, callerOf(request), params.id, body, headers['if-match'])
      reply.header('etag', etagOf(service))
      return presentRegistered(service)
    },
  )

  app.delete(
    '/services/:id',
    {
      config,
      schema: {
        operationId: 'removeService',
        tags,
        summary: 'Remove a service',
        description:
          'With its keys and its permissions, which nobody may use. Needs `services:delete`, which the platform alone holds.',
        params: ServiceParams,
        headers: Precondition,
        response: {
          204: Type.Null({ description: 'Removed' }),
          ...problemResponses(400, 401, 403, 'service-not-found', 'service-in-use', 412, 503),
        },
      },
    },
    async (request, reply) => {
      await removeService(deps, callerOf(request), request.params.id, request.headers['if-match'])
      return reply.code(204).send(null)
    },
  )
}

function presentService({
  id,
  name,
  description,
  baseUrl,
  healthUrl,
  routes,
  createdAt,
  updatedAt,
}: Service): ServiceView {
  return {
    id,
    name,
    description,
    base_url: baseUrl,
    health_url: healthUrl,
    routes: routes as ServiceView['routes'],
    created_at: createdAt.toISOString(),
    updated_at: updatedAt.toISOString(),
  }
}

function presentRegistered(service: RegisteredService): RegistrationView {
  const { added, removed, kept } = service.permissions
  return { ...presentService(service), permissions: { added: [...added], removed: [...removed], kept: [...kept] } }
}

function presentCreated(service: RegisteredService): Answer<RegistrationView> {
  const headers = { location: locationOf(service), etag: etagOf(service) }
  return { status: 201, headers, body: presentRegistered(service) }
}

function locationOf({ id }: Service): string {
  return `/admin/v1/services/${id}`
}
