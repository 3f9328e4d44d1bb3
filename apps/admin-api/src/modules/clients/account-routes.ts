/** What clients and sub-clients have in common: to be listed, read, changed, suspended, activated and deleted. */
import { type App, problemResponses } from '@signet/http'
import type { UserId } from '@signet/kernel'
import { Type } from 'typebox'
import type { Deps } from '../../deps.ts'
import { callerOf } from '../../wire/caller.ts'
import { pageOf, sendPage } from '../../wire/pages.ts'
import { etagOf, Precondition } from '../../wire/versions.ts'
import type { Answer } from '../idempotency/index.ts'
import { presentPerson } from '../users/index.ts'
import type { AccountKind } from './policy.ts'
import { AccountChange, AccountParams, AccountView, ClientQuery, SubClientQuery } from './schema.ts'
import {
  type Account,
  activateAccount,
  changeAccount,
  listAccounts,
  readAccount,
  removeAccount,
  suspendAccount,
  versionOf,
} from './service.ts'

/** How the API reference speaks of one kind. */
interface AccountWords {
  readonly of: AccountKind
  readonly tag: string
  /** As in `listClients`. */
  readonly name: 'Client' | 'SubClient'
  readonly noun: 'client' | 'sub-client'
  readonly whoReads: string
  /** Who else than those with the permission. */
  readonly orWhom: string
  readonly onSuspension: string
}

const config = { access: {} }

export function serveAccounts(app: App, deps: Deps, words: AccountWords): void {
  const { of, name, noun, whoReads, orWhom } = words
  const { resource } = of
  const tags = [words.tag]
  const path = `/${resource}` as const

  app.get(
    path,
    {
      config,
      schema: {
        operationId: `list${name}s`,
        tags,
        summary: `List ${noun}s`,
        description: `Needs \`${resource}:list\`${orWhom}.`,
        querystring: of.kind === 'client' ? ClientQuery : SubClientQuery,
        response: { 200: pageOf(AccountView), ...problemResponses(400, 'invalid-cursor', 401, 403, 503) },
      },
    },
    async (request, reply) =>
      sendPage(reply, request, await listAccounts(deps, callerOf(request), of, request.query), presentAccount),
  )

  app.get(
    `${path}/:id`,
    {
      config,
      schema: {
        operationId: `read${name}`,
        tags,
        summary: `Read a ${noun}`,
        description: `Needs \`${resource}:read\`${whoReads}.`,
        params: AccountParams,
        response: { 200: AccountView, ...problemResponses(400, 401, 403, `${noun}-not-found`, 503) },
      },
    },
    async (request, reply) => {
      const account = await readAccount(deps, callerOf(request), of, request.params.id as UserId)
      reply.header('etag', accountTag(account))
      return presentAccount(account)
    },
  )

  app.patch(
    `${path}/:id`,
    {
      config,
      schema: {
        operationId: `change${name}`,
        tags,
        summary: `Change a ${noun}`,
        description: `A new address is not verified. Needs \`${resource}:modify\` and all that the ${noun} holds${orWhom}; for \`role_ids\` \`memberships:modify\` as well, and all that the roles give.`,
        params: AccountParams,
        headers: Precondition,
        body: AccountChange,
        response: {
          200: AccountView,
          ...problemResponses(
            400,
            401,
            403,
            'grant-exceeds-own',
            `${noun}-not-found`,
            'role-not-found',
            'email-taken',
            'phone-taken',
            'username-taken',
            'last-administrator',
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
      const account = await changeAccount(deps, callerOf(request), of, params.id as UserId, body, headers['if-match'])
      reply.header('etag', accountTag(account))
      return presentAccount(account)
    },
  )

  app.delete(
    `${path}/:id`,
    {
      config,
      schema: {
        operationId: `remove${name}`,
        tags,
        summary: `Delete a ${noun}`,
        description: `Ends all sessions; what says who it was is erased.${of.kind === 'client' ? ' One that has sub-clients stays.' : ''} Needs \`${resource}:delete\` and all that the ${noun} holds${orWhom}.`,
        params: AccountParams,
        headers: Precondition,
        response: {
          204: Type.Null({ description: 'Deleted' }),
          ...problemResponses(400, 401, 403, `${noun}-not-found`, 'client-in-use', 'last-administrator', 412, 503),
        },
      },
    },
    async (request, reply) => {
      await removeAccount(deps, callerOf(request), of, request.params.id as UserId, request.headers['if-match'])
      return reply.code(204).send(null)
    },
  )

  for (const [verb, act, conflict, summary, description] of [
    ['suspend', suspendAccount, 'last-administrator', 'Suspend', words.onSuspension],
    [
      'activate',
      activateAccount,
      'client-not-active',
      'Activate',
      'It may sign in again, and ways in that too many failures have locked are open.',
    ],
  ] as const) {
    app.post(
      `${path}/:id/${verb}`,
      {
        config,
        schema: {
          operationId: `${verb}${name}`,
          tags,
          summary: `${summary} a ${noun}`,
          description: `${description} Needs \`${resource}:modify\` and all that the ${noun} holds${orWhom}.`,
          params: AccountParams,
          response: {
            200: AccountView,
            ...problemResponses(400, 401, 403, `${noun}-not-found`, 'user-state-conflict', conflict, 503),
          },
        },
      },
      async (request, reply) => {
        const account = await act(deps, callerOf(request), of, request.params.id as UserId)
        reply.header('etag', accountTag(account))
        return presentAccount(account)
      },
    )
  }
}

export function presentAccount(account: Account): AccountView {
  const roles = account.roles.map(({ id, name }) => ({ id, name }))
  return { ...presentPerson(account), client_id: account.parentId, roles }
}

export function presentCreated({ resource }: AccountKind, account: Account): Answer<AccountView> {
  const headers = { location: `/admin/v1/${resource}/${account.id}`, etag: accountTag(account) }
  return { status: 201, headers, body: presentAccount(account) }
}

function accountTag(account: Account): string {
  return etagOf({ version: versionOf(account) })
}
