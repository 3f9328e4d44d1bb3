import { passwordProblems } from '@signet/accounts'
import { type App, problemResponses } from '@signet/http'
import type { UserId } from '@signet/kernel'
import type { Deps } from '../../deps.ts'
import { callerOf } from '../../wire/caller.ts'
import { pageOf, sendPage } from '../../wire/pages.ts'
import { IdempotencyHeader, onceOf, onceProblems } from '../idempotency/index.ts'
import { presentAccount, presentCreated, serveAccounts } from './account-routes.ts'
import { clients, subClients } from './policy.ts'
import { AccountParams, AccountView, ClientQuery, NewClient } from './schema.ts'
import { type Account, createClient, createSubClient, listSubClientsOf } from './service.ts'

const config = { access: {} }
const tags = ['Clients']

export function serveClients(app: App, deps: Deps): void {
  serveAccounts(app, deps, {
    of: clients,
    tag: 'Clients',
    name: 'Client',
    noun: 'client',
    whoReads: '; a client reads itself',
    orWhom: '',
    onSuspension: 'Ends all its sessions, and suspends its sub-clients with it until it is activated again.',
  })

  app.post(
    '/clients',
    {
      config,
      schema: {
        operationId: 'createClient',
        tags,
        summary: 'Create a client',
        description:
          'A business account, which manages sub-clients of its own. Needs `clients:create`, and all that the client will hold; for `role_ids` `memberships:modify` as well.',
        headers: IdempotencyHeader,
        body: NewClient,
        response: {
          201: AccountView,
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
      const present = (account: Account) => presentCreated(clients, account)
      const once = onceOf(deps.keys.idempotency, request, present)
      const answer = await createClient(deps, callerOf(request), request.body, once)
      return reply.code(201).headers(answer.headers).send(answer.body)
    },
  )

  app.get(
    '/clients/:id/sub-clients',
    {
      config,
      schema: {
        operationId: 'listSubClientsOfClient',
        tags,
        summary: 'List the sub-clients of a client',
        description: 'Needs `sub-clients:list`; a client lists its own.',
        params: AccountParams,
        querystring: ClientQuery,
        response: {
          200: pageOf(AccountView),
          ...problemResponses(400, 'invalid-cursor', 401, 403, 'client-not-found', 503),
        },
      },
    },
    async (request, reply) => {
      const { params, query } = request
      const page = await listSubClientsOf(deps, callerOf(request), params.id as UserId, query)
      return sendPage(reply, request, page, presentAccount)
    },
  )

  app.post(
    '/clients/:id/sub-clients',
    {
      config,
      schema: {
        operationId: 'createSubClientOfClient',
        tags,
        summary: 'Create a sub-client of a client',
        description:
          'As `POST /sub-clients` with this client as `client_id`. Needs `sub-clients:create`; a client creates its own.',
        params: AccountParams,
        headers: IdempotencyHeader,
        body: NewClient,
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
      const clientId = request.params.id as UserId
      const answer = await createSubClient(deps, callerOf(request), clientId, request.body, once)
      return reply.code(201).headers(answer.headers).send(answer.body)
    },
  )
}
