import { type App, problemResponses } from '@signet/http'
import { Type } from 'typebox'
import type { Deps } from '../../deps.ts'
import { callerOf } from '../../wire/caller.ts'
import { pageOf, sendPage } from '../../wire/pages.ts'
import { etagOf, Precondition } from '../../wire/versions.ts'
import { type Answer, IdempotencyHeader, onceOf, onceProblems } from '../idempotency/index.ts'
import { NewPermission, PermissionChange, PermissionParams, PermissionQuery, PermissionView } from './schema.ts'
import {
  changePermission,
  createPermission,
  listPermissions,
  readPermission,
  removePermission,
  type Permission,
} from './service.ts'

const config = { access: {} }
const tags = ['Permissions']

export function servePermissions(app: App, deps: Deps): void {
  app.get(
    '/permissions',
    {
      config,
      schema: {
        tags,
        operationId: 'listPermissions',
        summary: 'List the catalogue',
        description: 'Every permission that a service of this installation asks for. Needs `permissions:list`.',
        querystring: PermissionQuery,
        response: { 200: pageOf(PermissionView), ...problemResponses(400, 'invalid-cursor', 401, 403, 503) },
      },
    },
    async (request, reply) =>
      sendPage(reply, request, await listPermissions(deps, callerOf(request), request.query), presentPermission),
  )

  app.post(
    '/permissions',
    {
      config,
      schema: {
        tags,
        operationId: 'createPermission',
        summary: 'Add a permission',
        description: 'For a service of your own. Needs `permissions:create`, which the platform alone holds.',
        headers: IdempotencyHeader,
        body: NewPermission,
        response: {
          201: PermissionView,
          ...problemResponses(400, 401, 403, 'permission-code-taken', ...onceProblems, 413, 415, 503),
        },
      },
    },
    async (request, reply) => {
      const once = onceOf(deps.keys.idempotency, request, presentCreated)
      const answer = await createPermission(deps, callerOf(request), request.body, once)
      return reply.code(201).headers(answer.headers).send(answer.body)
    },
  )

  app.get(
    '/permissions/:code',
    {
      config,
      schema: {
        tags,
        operationId: 'readPermission',
        summary: 'Read a permission',
        description: 'Needs `permissions:read`.',
        params: PermissionParams,
        response: { 200: PermissionView, ...problemResponses(400, 401, 403, 'permission-not-found', 503) },
      },
    },
    async (request, reply) => {
      const permission = await readPermission(deps, callerOf(request), request.params.code)
      reply.header('etag', etagOf(permission))
      return presentPermission(permission)
    },
  )

  app.patch(
    '/permissions/:code',
    {
      config,
      schema: {
        tags,
        operationId: 'changePermission',
        summary: 'Describe a permission',
        description: 'Needs `permissions:modify`, which the platform alone holds.',
        params: PermissionParams,
        headers: Precondition,
        body: PermissionChange,
        response: {
          200: PermissionView,
          ...problemResponses(400, 401, 403, 'permission-not-found', 412, 413, 415, 503),
        },
      },
    },
    async (request, reply) => {
      const { params, body, headers } = request
      const permission = await changePermission(deps, callerOf(request), params.code, body, headers['if-match'])
      reply.header('etag', etagOf(permission))
      return presentPermission(permission)
    },
  )

  app.delete(
    '/permissions/:code',
    {
      config,
      schema: {
        tags,
        operationId: 'removePermission',
        summary: 'Remove a permission',
        description:
          'One that no role holds and no policy names, in any tenant. Needs `permissions:delete`, which the platform alone holds.',
        params: PermissionParams,
        headers: Precondition,
        response: {
          204: Type.Null({ description: 'Removed' }),
          ...problemResponses(400, 401, 403, 'permission-not-found', 'permission-in-use', 412, 503),
        },
      },
    },
    async (request, reply) => {
      await removePermission(deps, callerOf(request), request.params.code, request.headers['if-match'])
      return reply.code(204).send(null)
    },
  )
}

function presentPermission(permission: Permission): PermissionView {
  const { code, service, description, isPlatform, createdAt, updatedAt } = permission
  return {
    code,
    service,
    description,
    is_platform: isPlatform,
    created_at: createdAt.toISOString(),
    updated_at: updatedAt.toISOString(),
  }
}

function presentCreated(permission: Permission): Answer<PermissionView> {
  const headers = { location: `/admin/v1/permissions/${permission.code}`, etag: etagOf(permission) }
  return { status: 201, headers, body: presentPermission(permission) }
}
