import { passwordProblems, type User } from '@signet/accounts'
import { type App, problemResponses } from '@signet/http'
import type { UserId } from '@signet/kernel'
import { Type } from 'typebox'
import type { Deps } from '../../deps.ts'
import { callerOf } from '../../wire/caller.ts'
import { pageOf, sendPage } from '../../wire/pages.ts'
import { etagOf, Precondition } from '../../wire/versions.ts'
import type { Holding, StatementOrigin } from '../bundles/index.ts'
import { type Answer, IdempotencyHeader, onceOf, onceProblems } from '../idempotency/index.ts'
import { presentPerson } from './person-view.ts'
import {
  EffectivePermissions,
  NewUser,
  TemporaryPassword,
  UserChange,
  UserParams,
  UserQuery,
  UserView,
} from './schema.ts'
import {
  activateUser,
  changeUser,
  createUser,
  listEffectivePermissions,
  listPeople,
  readUser,
  removeUser,
  resetPassword,
  suspendUser,
} from './service.ts'

const config = { access: {} }
const tags = ['Users']

export function serveUsers(app: App, deps: Deps): void {
  app.get(
    '/users',
    {
      config,
      schema: {
        tags,
        operationId: 'listUsers',
        summary: 'List people',
        description: 'Those who are at home in this tenant, of every kind; guests are memberships. Needs `users:list`.',
        querystring: UserQuery,
        response: { 200: pageOf(UserView), ...problemResponses(400, 'invalid-cursor', 401, 403, 503) },
      },
    },
    async (request, reply) =>
      sendPage(reply, request, await listPeople(deps, callerOf(request), request.query), presentUser),
  )

  app.post(
    '/users',
    {
      config,
      schema: {
        tags,
        operationId: 'createUser',
        summary: 'Create a person',
        description: 'At home in this tenant, with the role `member`. Needs `users:create`.',
        headers: IdempotencyHeader,
        body: NewUser,
        response: {
          201: UserView,
          ...problemResponses(
            400,
            ...passwordProblems,
            401,
            403,
            'grant-exceeds-own',
            'role-not-found',
            'email-taken',
            'phone-taken',
            'username-taken',
            ...onceProblems,
            413,
            415,
            503,
            'hashing-busy',
          ),
        },
      },
    },
    async (request, reply) => {
      const once = onceOf(deps.keys.idempotency, request, presentCreated)
      const answer = await createUser(deps, callerOf(request), request.body, once)
      return reply.code(201).headers(answer.headers).send(answer.body)
    },
  )

  app.get(
    '/users/:id',
    {
      config,
      schema: {
        tags,
        operationId: 'readUser',
        summary: 'Read a person',
        description: 'Needs `users:read`.',
        params: UserParams,
        response: { 200: UserView, ...problemResponses(400, 401, 403, 'user-not-found', 503) },
      },
    },
    async (request, reply) => {
      const user = await readUser(deps, callerOf(request), request.params.id as UserId)
      reply.header('etag', etagOf(user))
      return presentUser(user)
    },
  )

  app.patch(
    '/users/:id',
    {
      config,
      schema: {
        tags,
        operationId: 'changeUser',
        summary: 'Change a person',
        description: 'A new address is not verified. Needs `users:modify` and all that the person holds.',
        params: UserParams,
        headers: Precondition,
        body: UserChange,
        response: {
          200: UserView,
          ...problemResponses(
            400,
            401,
            403,
            'user-not-found',
            'email-taken',
            'phone-taken',
            'username-taken',
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
      const user = await changeUser(deps, callerOf(request), params.id as UserId, body, headers['if-match'])
      reply.header('etag', etagOf(user))
      return presentUser(user)
    },
  )

  app.delete(
    '/users/:id',
    {
      config,
      schema: {
        tags,
        operationId: 'removeUser',
        summary: 'Delete a person',
        description:
          'Ends all their sessions; what says who it was is erased, and the addresses are free again. A client that has ' +
          'sub-clients stays. Needs ' +
          '`users:delete` and all that the person holds.',
        params: UserParams,
        headers: Precondition,
        response: {
          204: Type.Null({ description: 'Deleted' }),
          ...problemResponses(400, 401, 403, 'user-not-found', 'client-in-use', 'last-administrator', 412, 503),
        },
      },
    },
    async (request, reply) => {
      await removeUser(deps, callerOf(request), request.params.id as UserId, request.headers['if-match'])
      return reply.code(204).send(null)
    },
  )

  app.get(
    '/users/:id/permissions',
    {
      config,
      schema: {
        tags,
        operationId: 'listPermissionsOfUser',
        summary: 'What a person may do',
        description:
          'Each permission with all that gives it, role or policy, and all that takes it away. Needs `users:read`.',
        params: UserParams,
        response: { 200: EffectivePermissions, ...problemResponses(400, 401, 403, 'user-not-found', 503) },
      },
    },
    async request => ({
      items: (await listEffectivePermissions(deps, callerOf(request), request.params.id as UserId)).map(presentHolding),
      next_cursor: null,
    }),
  )

  app.post(
    '/users/:id/reset-password',
    {
      config,
      schema: {
        tags,
        operationId: 'resetPasswordOfUser',
        summary: 'Reset the password of a person',
        description:
          'Gives a temporary password, shown once, with which the person can do nothing but choose another. Ends all ' +
          'their sessions, takes their refresh key away and opens ways in that too many failures have locked; a notice ' +
          'is mailed. It takes no `Idempotency-Key`: an answer with a password is kept nowhere. Needs `users:modify` ' +
          'and all that the person holds; nobody resets their own.',
        params: UserParams,
        response: { 200: TemporaryPassword, ...problemResponses(400, 401, 403, 'user-not-found', 503, 'hashing-busy') },
      },
    },
    async (request, reply) => {
      reply.header('cache-control', 'no-store')
      return { temporary_password: await resetPassword(deps, callerOf(request), request.params.id as UserId) }
    },
  )

  for (const [verb, act, summary, description] of [
    ['suspend', suspendUser, 'Suspend a person', 'Ends all their sessions, in every tenant.'],
    [
      'activate',
      activateUser,
      'Activate a person',
      'A suspended person may sign in again. Ways in that too many failures have locked are open again, also for a person who is active already.',
    ],
  ] as const) {
    app.post(
      `/users/:id/${verb}`,
      {
        config,
        schema: {
          tags,
          operationId: `${verb}User`,
          summary,
          description: `${description} Needs \`users:modify\` and all that the person holds.`,
          params: UserParams,
          response: {
            200: UserView,
            ...problemResponses(
              400,
              401,
              403,
              'user-not-found',
              'user-state-conflict',
              'last-administrator',
              'client-not-active',
              503,
            ),
          },
        },
      },
      async (request, reply) => {
        const user = await act(deps, callerOf(request), request.params.id as UserId)
        reply.header('etag', etagOf(user))
        return presentUser(user)
      },
    )
  }
}

function presentUser(user: User): UserView {
  return { ...presentPerson(user), parent_id: user.parentId }
}

function presentCreated(user: User): Answer<UserView> {
  const headers = { location: `/admin/v1/users/${user.id}`, etag: etagOf(user) }
  return { status: 201, headers, body: presentUser(user) }
}

function presentHolding({ code, state, sources, withheldBy }: Holding): EffectivePermissions['items'][number] {
  return {
    code,
    state,
    sources: sources.map(source => (source.type === 'role' ? source : presentStatement(source))),
    withheld_by: withheldBy.map(by =>
      by.type === 'policy' ? presentStatement(by) : { type: by.type, id: by.id, conditional: by.isConditional },
    ),
  }
}

function presentStatement({ isConditional, ...rest }: StatementOrigin) {
  return { ...rest, conditional: isConditional }
}
