import { type App, IdentityUser } from '@signet/http'
import { type PositionId, problem, type UserId } from '@signet/kernel'
import { type Static, Type } from 'typebox'
import type { Deps } from '../../deps.ts'
import { listMemberships } from '../../modules/memberships/index.ts'
import { assignPosition, withdrawPosition } from '../../modules/placements/index.ts'
import { readPosition } from '../../modules/positions/index.ts'
import {
  activateUser,
  changeUser,
  createUser,
  listPeople,
  readUser,
  removeUser,
  resetPassword,
  suspendUser,
} from '../../modules/users/index.ts'
import { type Caller, callerOf } from '../../wire/caller.ts'
import { assertOwnCompany, withoutNulls } from './bodies.ts'
import { collectPages, eachTime, Gone, IdParams } from './lists.ts'
import { config, describeRoute } from './route-options.ts'
import { NewUserBody, readPhone, UserBody } from './users-body.ts'
import { presentGuests, presentUsers, readPerson, whereAllowed } from './users-read.ts'

export function serveUsers(scope: App, deps: Deps): void {
  scope.get(
    '/users',
    {
      config,
      schema: describeRoute(
        {
          operationId: 'listIdentityUsers',
          summary: 'List the people of the company',
          description:
            'Guests too for whoever holds `memberships:list`. Instead: GET /admin/v1/users. Needs `users:list`.',
        },
        {},
        { 200: Type.Array(IdentityUser) },
      ),
    },
    async (request, reply) => {
      const caller = callerOf(request)
      const native = '/admin/v1/users'
      const users = await collectPages(reply, native, 'created_at', query => listPeople(deps, caller, query))
      const guests = await whereAllowed(
        collectPages(reply, native, 'created_at', query => listMemberships(deps, caller, { ...query, is_guest: true })),
      )
      return [...(await presentUsers(deps, caller, users)), ...(await presentGuests(deps, caller, guests ?? []))]
    },
  )

  scope.post(
    '/users',
    {
      config,
      schema: describeRoute(
        {
          operationId: 'createIdentityUser',
          summary: 'Create a person',
          description:
            'In the company of the caller. Instead: POST /admin/v1/users. Needs `users:create`, for `position_id` `positions:modify` as well.',
        },
        { body: NewUserBody },
        { 201: IdentityUser },
        404,
        409,
      ),
    },
    async (request, reply) => reply.code(201).send(await createPerson(deps, callerOf(request), request.body)),
  )

  scope.get(
    '/users/:id',
    {
      config,
      schema: describeRoute(
        {
          operationId: 'readIdentityUser',
          summary: 'Read a person',
          description: 'Instead: GET /admin/v1/users/{id}. Needs `users:read`.',
        },
        { params: IdParams },
        { 200: IdentityUser },
        404,
      ),
    },
    async request => readPerson(deps, callerOf(request), request.params.id as UserId),
  )

  for (const method of ['PUT', 'PATCH'] as const) {
    scope.route({
      method,
      url: '/users/:id',
      config,
      schema: describeRoute(
        {
          operationId: method === 'PUT' ? 'replaceIdentityUser' : 'changeIdentityUser',
          summary: 'Change a person',
          description:
            'The members that are sent. Instead: PATCH /admin/v1/users/{id}, for `is_active` POST …/suspend and …/activate. Needs `users:modify` and all that the person holds.',
        },
        { params: IdParams, body: UserBody },
        { 200: IdentityUser },
        404,
        409,
      ),
      handler: async request => changePerson(deps, callerOf(request), request.params.id as UserId, request.body),
    })
  }

  scope.delete(
    '/users/:id',
    {
      config,
      schema: describeRoute(
        {
          operationId: 'removeIdentityUser',
          summary: 'Delete a person',
          description: 'Instead: DELETE /admin/v1/users/{id}. Needs `users:delete` and all that the person holds.',
        },
        { params: IdParams },
        { 204: Gone },
        404,
        409,
      ),
    },
    async (request, reply) => {
      await removeUser(deps, callerOf(request), request.params.id as UserId, undefined)
      return reply.code(204).send(null)
    },
  )

  scope.post(
    '/users/:id/admin-reset-password',
    {
      config,
      schema: describeRoute(
        {
          operationId: 'resetIdentityPassword',
          summary: 'Give a person a temporary password',
          description:
            'Shown this once. Ends all sessions of the person. Instead: POST /admin/v1/users/{id}/reset-password. Needs `users:modify` and all that the person holds.',
        },
        { params: IdParams },
        { 200: ResetDone },
        404,
      ),
    },
    async (request, reply) => {
      const password = await resetPassword(deps, callerOf(request), request.params.id as UserId)
      reply.header('cache-control', 'no-store')
      return { ...resetDone, temporary_password: password }
    },
  )
}

const resetDone = {
  message: 'Password reset successful',
  password_reset_required: true,
  note: 'User must change password on next login. This is the only time the temporary password will be shown.',
}
const ResetDone = Type.Object({
  message: Type.String({ examples: [resetDone.message] }),
  temporary_password: Type.String({ examples: ['k7mw-2xqd-9tfa-hb4e'] }),
  password_reset_required: Type.Boolean(),
  note: Type.String({ examples: [resetDone.note] }),
})

/** What of it could fail for another reason than the person is looked at first: nobody is half made. */
async function createPerson(deps: Deps, caller: Caller, body: Static<typeof NewUserBody>): Promise<IdentityUser> {
  assertOwnCompany(body, caller.tenantId)
  const { email, password, first_name, last_name, language } = body
  const positionId = body.position_id as PositionId | null | undefined
  const phone = readPhone(body.phone_number)
  if (positionId) await readPosition(deps, caller, positionId)
  const person = { email, password, ...withoutNulls({ first_name, last_name, language, phone }) }
  const { body: made } = await createUser(deps, caller, person, eachTime())
  if (positionId) await assignPosition(deps, caller, positionId, made.id, undefined)
  const user = body.is_active === false ? await suspendUser(deps, caller, made.id) : made
  const [shown] = await presentUsers(deps, caller, [user])
  return shown as IdentityUser
}

/** @throws Problem `invalid-input` for a password, and those of the native changes */
async function changePerson(deps: Deps, caller: Caller, id: UserId, body: UserBody): Promise<IdentityUser> {
  assertOwnCompany(body, caller.tenantId)
  if (body.password !== undefined && body.password !== null) {
    const message = 'is changed at /users/me/change-password, or reset at /users/{user_id}/admin-reset-password'
    throw problem('invalid-input', undefined, { errors: [{ pointer: '/password', message }] })
  }
  const { email, first_name, last_name, phone_number, position_id, is_active } = body
  const phone = readPhone(phone_number)
  const change = { email, first_name, last_name, phone, language: body.language ?? undefined }
  const sent = Object.fromEntries(Object.entries(change).filter(([, value]) => value !== undefined))
  const before = await changeUserOrRead(deps, caller, id, sent)
  if (is_active === true && before.status === 'suspended') await activateUser(deps, caller, id)
  if (is_active === false && before.status === 'active') await suspendUser(deps, caller, id)
  if (position_id !== undefined) await moveTo(deps, caller, id, position_id as PositionId | null)
  return readPerson(deps, caller, id)
}

/** A change of nothing asks for the permission all the same. */
function changeUserOrRead(deps: Deps, caller: Caller, id: UserId, sent: Parameters<typeof changeUser>[3]) {
  return Object.keys(sent).length > 0 ? changeUser(deps, caller, id, sent, undefined) : readUser(deps, caller, id)
}

async function moveTo(deps: Deps, caller: Caller, id: UserId, position: PositionId | null): Promise<void> {
  if (position !== null) return assignPosition(deps, caller, position, id, undefined)
  const { position_id: held } = await readPerson(deps, caller, id)
  if (held !== null) await withdrawPosition(deps, caller, held as PositionId, id, undefined)
}
