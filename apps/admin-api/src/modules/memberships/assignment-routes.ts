import { type App, problemResponses } from '@signet/http'
import type { RoleId } from '@signet/kernel'
import { Type } from 'typebox'
import type { Deps } from '../../deps.ts'
import { callerOf } from '../../wire/caller.ts'
import { Precondition } from '../../wire/versions.ts'
import { type Answer, IdempotencyHeader, onceOf, onceProblems } from '../idempotency/index.ts'
import {
  assignRole,
  ensureRole,
  listAssignedRoles,
  type Member,
  type RoleOfMember,
  withdrawRole,
} from './assignments.ts'
import { AssignedRole, AssignedRolePage, AssignmentParams, MembershipParams, NewAssignment } from './schema.ts'

/** One of the paths under which roles are assigned. */
interface AssignmentPath {
  readonly path: '/memberships/:id/roles' | '/users/:id/roles'
  readonly tag: string
  /** Of whom, in the ids of the operations. */
  readonly whom: 'User' | 'Membership'
  readonly notFound: readonly ('membership-not-found' | 'user-not-found')[]
  /** The permission that reading needs. */
  readonly reads: string
  readonly memberOf: (id: string) => Member
}

const config = { access: {} }
const Done = Type.Null({ description: 'Done' })

export function serveAssignments(
  app: App,
  deps: Deps,
  { path, tag, whom, notFound, reads, memberOf }: AssignmentPath,
): void {
  const tags = [tag]
  app.get(
    path,
    {
      config,
      schema: {
        tags,
        operationId: `listRolesOf${whom}`,
        summary: 'List assigned roles',
        description: `All of them, by name. Needs \`${reads}\`.`,
        params: MembershipParams,
        response: { 200: AssignedRolePage, ...problemResponses(400, 401, 403, ...notFound, 503) },
      },
    },
    async request => {
      const roles = await listAssignedRoles(deps, callerOf(request), memberOf(request.params.id))
      return { items: roles.map(presentAssigned), next_cursor: null }
    },
  )

  app.post(
    path,
    {
      config,
      schema: {
        tags,
        operationId: `assignRoleTo${whom}`,
        summary: 'Assign a role',
        description: 'One that holds no more than you do. Needs `memberships:modify` and all that the person holds.',
        params: MembershipParams,
        headers: IdempotencyHeader,
        body: NewAssignment,
        response: {
          201: AssignedRole,
          ...problemResponses(
            400,
            401,
            403,
            'grant-exceeds-own',
            ...notFound,
            'role-not-found',
            'role-already-assigned',
            ...onceProblems,
            413,
            415,
            503,
          ),
        },
      },
    },
    async (request, reply) => {
      const present = (role: RoleOfMember): Answer<AssignedRole> => ({
        status: 201,
        headers: { location: `/admin/v1${path.replace(':id', request.params.id)}/${role.id}` },
        body: presentAssigned(role),
      })
      const once = onceOf(deps.keys.idempotency, request, present)
      const roleId = request.body.role_id as RoleId
      const answer = await assignRole(deps, callerOf(request), memberOf(request.params.id), roleId, once)
      return reply.code(201).headers(answer.headers).send(answer.body)
    },
  )

  app.put(
    `${path}/:role_id`,
    {
      config,
      schema: {
        tags,
        operationId: `ensureRoleOf${whom}`,
        summary: 'See to it that a role is assigned',
        description:
          'Nothing happens when it is. Needs `memberships:modify` and all that the person and the role hold.',
        params: AssignmentParams,
        headers: Precondition,
        response: {
          204: Done,
          ...problemResponses(400, 401, 403, 'grant-exceeds-own', ...notFound, 'role-not-found', 412, 503),
        },
      },
    },
    async (request, reply) => {
      const { id, role_id } = request.params
      await ensureRole(deps, callerOf(request), memberOf(id), role_id as RoleId, request.headers['if-match'])
      return reply.code(204).send(null)
    },
  )

  app.delete(
    `${path}/:role_id`,
    {
      config,
      schema: {
        tags,
        operationId: `removeRoleFrom${whom}`,
        summary: 'Take a role away',
        description: 'At once, whatever tokens still say. Needs `memberships:modify` and all that the person holds.',
        params: AssignmentParams,
        headers: Precondition,
        response: {
          204: Done,
          ...problemResponses(
            400,
            401,
            403,
            'grant-exceeds-own',
            ...notFound,
            'role-not-found',
            'last-administrator',
            412,
            503,
          ),
        },
      },
    },
    async (request, reply) => {
      const { id, role_id } = request.params
      await withdrawRole(deps, callerOf(request), memberOf(id), role_id as RoleId, request.headers['if-match'])
      return reply.code(204).send(null)
    },
  )
}

function presentAssigned({ id, name, description, isBuiltIn, assignedAt }: RoleOfMember): AssignedRole {
  return { id, name, description, is_built_in: isBuiltIn, assigned_at: assignedAt.toISOString() }
}
