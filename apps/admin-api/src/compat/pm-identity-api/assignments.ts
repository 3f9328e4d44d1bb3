/** Which roles a person has. The older system gave each assignment an id of its own; its routes take that, and the role's. */
import { type App, IdText } from '@signet/http'
import { problem, type RoleId, type UserId } from '@signet/kernel'
import { Type } from 'typebox'
import type { Deps } from '../../deps.ts'
import {
  assignRole,
  listAssignedRoles,
  type Member,
  type RoleOfMember,
  withdrawRole,
} from '../../modules/memberships/index.ts'
import { type Caller, callerOf } from '../../wire/caller.ts'
import { deriveId } from './derived-id.ts'
import { eachTime, Gone, IdParams } from './lists.ts'
import { config, describeRoute } from './route-options.ts'
import { withMember } from './users-read.ts'

const Assignment = Type.Object({ id: IdText, user_id: IdText, role_id: IdText })
const AssignmentParams = Type.Object({ id: IdText, role_id: IdText })
/** Some callers say `role`. */
const NewAssignment = Type.Object({ role_id: Type.Optional(IdText), role: Type.Optional(IdText) })

export function serveAssignments(scope: App, deps: Deps): void {
  scope.get(
    '/users/:id/roles',
    {
      config,
      schema: describeRoute(
        {
          operationId: 'listIdentityRoles',
          summary: 'List the roles of a person',
          description: 'Instead: GET /admin/v1/users/{id}/roles. Needs `users:read`.',
        },
        { params: IdParams },
        { 200: Type.Object({ roles: Type.Array(Assignment) }) },
        404,
      ),
    },
    async request => {
      const userId = request.params.id as UserId
      const caller = callerOf(request)
      const roles = await withMember(deps, caller, userId, member => listAssignedRoles(deps, caller, member))
      return { roles: roles.map(role => presentAssignment(userId, role)) }
    },
  )

  scope.post(
    '/users/:id/roles',
    {
      config,
      schema: describeRoute(
        {
          operationId: 'assignIdentityRole',
          summary: 'Give a person a role',
          description:
            'One that holds no more than you do. Instead: POST /admin/v1/users/{id}/roles. Needs `memberships:modify` and all that the person holds.',
        },
        { params: IdParams, body: NewAssignment },
        { 201: Assignment },
        404,
        409,
      ),
    },
    async (request, reply) => {
      const { role_id, role = role_id } = request.body
      const roleId = (role_id ?? role) as RoleId | undefined
      if (roleId === undefined) throw problem('invalid-input', 'Role ID field is required')
      const userId = request.params.id as UserId
      const caller = callerOf(request)
      const { body: made } = await withMember(deps, caller, userId, member =>
        assignRole(deps, caller, member, roleId, eachTime()),
      )
      return reply.code(201).send(presentAssignment(userId, made))
    },
  )

  scope.get(
    '/users/:id/roles/:role_id',
    {
      config,
      schema: describeRoute(
        {
          operationId: 'readIdentityRole',
          summary: 'Read one assignment',
          description: 'Instead: GET /admin/v1/users/{id}/roles. Needs `users:read`.',
        },
        { params: AssignmentParams },
        { 200: Assignment },
        404,
      ),
    },
    async request => {
      const { id, role_id } = request.params
      const caller = callerOf(request)
      const role = await withMember(deps, caller, id as UserId, member =>
        findAssigned(deps, caller, id as UserId, member, role_id),
      )
      return presentAssignment(id as UserId, role)
    },
  )

  scope.delete(
    '/users/:id/roles/:role_id',
    {
      config,
      schema: describeRoute(
        {
          operationId: 'withdrawIdentityRole',
          summary: 'Take a role away from a person',
          description:
            'Instead: DELETE /admin/v1/users/{id}/roles/{role_id}. Needs `memberships:modify`, `users:read` and all that the person holds.',
        },
        { params: AssignmentParams },
        { 204: Gone },
        404,
        409,
      ),
    },
    async (request, reply) => {
      const { id, role_id } = request.params
      const caller = callerOf(request)
      await withMember(deps, caller, id as UserId, async member => {
        const role = await findAssigned(deps, caller, id as UserId, member, role_id)
        await withdrawRole(deps, caller, member, role.id, undefined)
      })
      return reply.code(204).send(null)
    },
  )
}

/** @throws Problem `role-not-found` */
async function findAssigned(
  deps: Deps,
  caller: Caller,
  userId: UserId,
  member: Member,
  named: string,
): Promise<RoleOfMember> {
  const roles = await listAssignedRoles(deps, caller, member)
  const found = roles.find(({ id }) => id === named || deriveId(userId, id) === named)
  if (found === undefined) throw problem('role-not-found')
  return found
}

function presentAssignment(userId: UserId, { id }: RoleOfMember) {
  return { id: deriveId(userId, id), user_id: userId, role_id: id }
}
