/** One route of iam-rs256 that is not the native one: its failures are problem documents, which carry `detail`. */
import { type App, problemResponses } from '@signet/http'
import { Type } from 'typebox'
import type { Deps } from '../deps.ts'
import { IdempotencyHeader, onceOf, onceProblems } from '../modules/idempotency/index.ts'
import { createRole, NewRole, presentCreatedRole, RoleView } from '../modules/roles/index.ts'
import { callerOf } from '../wire/caller.ts'

export function serveIamRs256(scope: App, deps: Deps): void {
  scope.post(
    '/api/v1/roles',
    {
      config: { access: {} },
      schema: {
        tags: ['iam-rs256'],
        operationId: 'createPlainRole',
        summary: 'Create a role',
        description: 'As `POST /admin/v1/roles`, but ignores members that it does not know. Needs `roles:create`.',
        headers: IdempotencyHeader,
        body: Type.Object(NewRole.properties),
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
}
