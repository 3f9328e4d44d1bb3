import type { Role } from '@signet/accounts'
import { type App, problemResponses } from '@signet/http'
import type { RoleId } from '@signet/kernel'
import { Type } from 'typebox'
import type { Deps } from '../../deps.ts'
import { callerOf } from '../../wire/caller.ts'
import { pageOf, sendPage } from '../../wire/pages.ts'
import { etagOf, Precondition } from '../../wire/versions.ts'
import { type Answer, IdempotencyHeader, onceOf, onceProblems } from '../idempotency/index.ts'
import {
  NewRole,
  RoleChange,
  RoleParams,
  RolePermissionPage,
  RolePermissionParams,
  RoleQuery,
  RoleView,
} from './schema.ts'
import {
  addRolePermission,
  changeRole,
  createRole,
  listRoles,
  readRole,
  removeRole,
  removeRolePermission,
} from './service.ts'

const config = { access: {} }
const tags = ['Roles']
const Done = Type.Null({ description: 'Done' })

export function serveRoles(app: App, deps: Deps): void {
  app.get(
    '/roles',
    {
      config,
      schema: {
        tags,
        operationId: 'listRoles',
        summary: 'List roles',
        description: 'The roles of this tenant, the built-in ones included. Needs `roles:list`.',
        querystring: RoleQuery,
        response: { 200: pageOf(RoleView), ...problemResponses(400, 'invalid-cursor', 401, 403, 503) },
      },
    },
    async (request, reply) =>
      sendPage(reply, request, await listRoles(deps, callerOf(request), request.query), presentRole),
  )

  app.post(
    '/roles',
    {
      config,
      schema: {
        tags,
        operationId: 'createRole',
        summary: 'Create a role',
        description: 'With no more than you hold yourself. Needs `roles:create`.',
        headers: IdempotencyHeader,
        body: NewRole,
        response: {
          201: RoleView,
          ...problemResponses(
            400,
            401,
            403,
            'grant-exceeds-own',
            'role-name-taken',
            ...onceProblems,
            413,
            415,
            'unknown-permission',
            503,
          ),
        },
      },
    },
    async (request, reply) => {
      const once = onceOf(deps.keys.idempotency, request, presentCreatedRole)
      const answer = await createRole(deps, callerOf(request), request.body, once)
      return reply.code(201).headers(answer.headers).send(answer.body)
    },
  )

  app.get(
    '/roles/:id',
    {
      config,
      schema: {
        tags,
        operationId: 'readRole',
        summary: 'Read a role',
        description: 'Needs `roles:read`.',
        params: RoleParams,
        response: { 200: RoleView, ...problemResponses(400, 401, 403, 'role-not-found', 503) },
      },
    },
    async (request, reply) => {
      const role = await readRole(deps, callerOf(request), request.params.id as RoleId)
      reply.header('etag', etagOf(role))
      return presentRole(role)
    },
  )

  app.patch(
    '/roles/:id',
    {
      config,
      schema: {
        tags,
        operationId: 'changeRole',
        summary: 'Change a role',
        description: 'Needs `roles:modify`, all that the role holds, and `If-Match`. Built-in roles stay as they are.',
        params: RoleParams,
        headers: Precondition,
        body: RoleChange,
        response: {
          200: RoleView,
          ...problemResponses(
            400,
            401,
            403,
            'grant-exceeds-own',
            'role-not-found',
            'built-in-role',
            'role-name-taken',
            412,
            413,
            415,
            'unknown-permission',
            428,
            503,
          ),
        },
      },
    },
    async (request, reply) => {
      const { params, body, headers } = request
      const role = await changeRole(deps, callerOf(request), params.id as RoleId, body, headers['if-match'])
      reply.header('etag', etagOf(role))
      return presentRole(role)
    },
  )

  app.delete(
    '/roles/:id',
    {
      config,
      schema: {
        tags,
        operationId: 'removeRole',
        summary: 'Remove a role',
        description: 'One that nobody has. Needs `roles:delete`, all that the role holds, and `If-Match`.',
        params: RoleParams,
        headers: Precondition,
        response: {
          204: Done,
          ...problemResponses(400, 401, 403, 'role-not-found', 'built-in-role', 'role-in-use', 412, 428, 503),
        },
      },
    },
    async (request, reply) => {
      await removeRole(deps, callerOf(request), request.params.id as RoleId, request.headers['if-match'])
      return reply.code(204).send(null)
    },
  )

  app.get(
    '/roles/:id/permissions',
    {
      config,
      schema: {
        tags,
        operationId: 'listPermissionsOfRole',
        summary: 'What a role holds',
        description: 'All codes at once. Needs `roles:read`.',
        params: RoleParams,
        response: { 200: RolePermissionPage, ...problemResponses(400, 401, 403, 'role-not-found', 503) },
      },
    },
    async (request, reply) => {
      const role = await readRole(deps, callerOf(request), request.params.id as RoleId)
      reply.header('etag', etagOf(role))
      return { items: role.permissions.map(code => ({ code })), next_cursor: null }
    },
  )

  app.put(
    '/roles/:id/permissions/:code',
    {
      config,
      schema: {
        tags,
        operationId: 'addPermissionToRole',
        summary: 'Add a permission to a role',
        description:
          'Nothing happens when the role holds it. Needs `roles:modify`, the permission itself and all that the role holds.',
        params: RolePermissionParams,
        headers: Precondition,
        response: {
          204: Done,
          ...problemResponses(
            400,
            401,
            403,
            'grant-exceeds-own',
            'role-not-found',
            'built-in-role',
            412,
            'unknown-permission',
            503,
          ),
        },
      },
    },
    async (request, reply) => {
      const { params, headers } = request
      const role = await addRolePermission(
        deps,
        callerOf(request),
        params.id as RoleId,
        params.code,
        headers['if-match'],
      )
      return reply.code(204).header('etag', etagOf(role)).send(null)
    },
  )

  app.delete(
    '/roles/:id/permissions/:code',
    {
      config,
      schema: {
        tags,
        operationId: 'removePermissionFromRole',
        summary: 'Take a permission out of a role',
        description: 'Needs `roles:modify` and all that the role holds.',
        params: RolePermissionParams,
        headers: Precondition,
        response: {
          204: Done,
          ...problemResponses(
            400,
            401,
            403,
            'grant-exceeds-own',
            'role-not-found',
            'permission-not-found',
            'built-in-role',
            412,
            503,
          ),
        },
      },
    },
    async (request, reply) => {
      const { params, headers } = request
      const ifMatch = headers['if-match']
      const role = await removeRolePermission(deps, callerOf(request), params.id as RoleId, params.code, ifMatch)
      return reply.code(204).header('etag', etagOf(role)).send(null)
    },
  )
}

function presentRole(role: Role): RoleView {
  return {
    id: role.id,
    name: role.name,
    description: role.description,
    is_built_in: role.isBuiltIn,
    permissions: [...role.permissions],
    created_at: role.createdAt.toISOString(),
    updated_at: role.updatedAt.toISOString(),
  }
}

export function presentCreatedRole(role: Role): Answer<RoleView> {
  const headers = { location: `/admin/v1/roles/${role.id}`, etag: etagOf(role) }
  return { status: 201, headers, body: presentRole(role) }
}
