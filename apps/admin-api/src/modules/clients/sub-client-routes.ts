import { passwordProblems } from '@signet/accounts'
import { type App, problemResponses } from '@signet/http'
import type { UserId } from '@signet/kernel'
import type { Deps } from '../../deps.ts'
import { callerOf } from '../../wire/caller.ts'
import { IdempotencyHeader, onceOf, onceProblems } from '../idempotency/index.ts'
import { presentCreated, serveAccounts } from './account-routes.ts'
import { subClients } from './policy.ts'
import { AccountView, NewSubClient } from './schema.ts'
import { type Account, createSubClient } from './service.ts'

export function serveSubClients(app: App, deps: Deps): void {
  serveAccounts(app, deps, {
    of: subClients,
    tag: 'Sub-clients',
    name: 'SubClient',
    noun: 'sub-client',
    whoReads: '; a client reads its own',
    orWhom: '; a client manages its own without',
    onSuspension: 'Ends all its sessions. One that was suspended with its client does not come back with it any more.',
  })

  app.post(
    '/sub-clients',
    {
      config: { access: {} },
      schema: {
        operationId: 'createSubClient',
        tags: ['Sub-clients'],
        summary: 'Create a sub-client',
        description:
          'A business account below a client. A client creates its own, with roles that give no more than it can hand on. Others need `sub-clients:create` and all that the sub-client will hold; for `role_ids` `memberships:modify` as well.',
        headers: IdempotencyHeader,
        body: NewSubClient,
        response: {
          201: AccountView,
          ...problemResponses(
            400,
            ...passwordProblems,
            401,
            403,
            'grant-exceeds-own',
            'client-not-found',
            'role-not-found',
            'client-not-active',
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
      const present = (account: Account) => presentCreated(subClients, account)
      const once = onceOf(deps.keys.idempotency, request, present)
      const { client_id, ...body } = request.body
      const answer = await createSubClient(deps, callerOf(request), client_id as UserId | undefined, body, once)
      return reply.code(201).headers(answer.headers).send(answer.body)
    },
  )
}
