import { type App, problemResponses } from '@signet/http'
import type { PolicyId, RoleId, UserId } from '@signet/kernel'
import { Type } from 'typebox'
import type { Deps } from '../../deps.ts'
import { callerOf } from '../../wire/caller.ts'
import { pageOf, sendPage } from '../../wire/pages.ts'
import { Precondition } from '../../wire/versions.ts'
import { type Answer, IdempotencyHeader, onceOf, onceProblems } from '../idempotency/index.ts'
import {
  type Attachment,
  attachPolicy,
  detachPolicy,
  ensureAttached,
  type HolderRef,
  listAttachedPolicies,
  listAttachments,
  type PolicyOfHolder,
} from './service.ts'
import {
  AttachedPolicy,
  AttachedPolicyPage,
  AttachmentParams,
  AttachmentQuery,
  AttachmentView,
  HolderParams,
  NewAttachment,
  PolicyParams,
} from './schema.ts'

const config = { access: {} }
const tags = ['Policies']
const Done = Type.Null({ description: 'Done' })

/** A path below which policies hang. */
interface HolderPath {
  readonly path: '/users/:id/policies' | '/roles/:id/policies'
  readonly word: 'User' | 'Role'
  readonly needs: string
  readonly holderOf: (id: string) => HolderRef
}

const users: HolderPath = {
  path: '/users/:id/policies',
  word: 'User',
  needs: 'all that the person may',
  holderOf: id => ({ userId: id as UserId }),
}
const roles: HolderPath = {
  path: '/roles/:id/policies',
  word: 'Role',
  needs: 'all that the role gives or withholds',
  holderOf: id => ({ roleId: id as RoleId }),
}

export function servePolicyAttachments(app: App, deps: Deps): void {
  serveHolder(app, deps, users)
  serveHolder(app, deps, roles)

  app.get(
    '/policies/:id/attachments',
    {
      config,
      schema: {
        operationId: 'listPolicyAttachments',
        tags,
        summary: 'List where a policy is attached',
        description: 'People and roles, in the order in which it was attached to them. Needs `policies:read`.',
        params: PolicyParams,
        querystring: AttachmentQuery,
        response: {
          200: pageOf(AttachmentView),
          ...problemResponses(400, 'invalid-cursor', 401, 403, 'policy-not-found', 503),
        },
      },
    },
    async (request, reply) => {
      const id = request.params.id as PolicyId
      return sendPage(
        reply,
        request,
        await listAttachments(deps, callerOf(request), id, request.query),
        presentAttachment,
      )
    },
  )

  app.post(
    users.path,
    {
      config,
      schema: {
        operationId: 'attachUserPolicy',
        tags,
        summary: 'Attach a policy to a person',
        description:
          'A user, client, sub-client or guest. Needs `policies:modify`, every permission that the policy names, and all ' +
          'that the person may.',
        params: HolderParams,
        headers: IdempotencyHeader,
        body: NewAttachment,
        response: {
          201: AttachedPolicy,
          ...problemResponses(
            400,
            401,
            403,
            'grant-exceeds-own',
            'user-not-found',
            'policy-not-found',
            'policy-already-attached',
            ...onceProblems,
            413,
            415,
            'policy-not-attachable',
            503,
          ),
        },
      },
    },
    async (request, reply) => {
      const { id } = request.params
      const present = (policy: PolicyOfHolder): Answer<AttachedPolicy> => ({
        status: 201,
        headers: { location: `/admin/v1/users/${id}/policies/${policy.id}` },
        body: presentAttached(policy),
      })
      const once = onceOf(deps.keys.idempotency, request, present)
      const policyId = request.body.policy_id as PolicyId
      const answer = await attachPolicy(deps, callerOf(request), users.holderOf(id), policyId, once)
      return reply.code(201).headers(answer.headers).send(answer.body)
    },
  )
}

function serveHolder(app: App, deps: Deps, { path, word, needs, holderOf }: HolderPath): void {
  const [holder, notFound] =
    word === 'User' ? (['person', 'user-not-found'] as const) : (['role', 'role-not-found'] as const)
  app.get(
    path,
    {
      config,
      schema: {
        operationId: `list${word}Policies`,
        tags,
        summary: `List the policies of a ${holder}`,
        description: 'Those that are attached to it, by name. Needs `policies:read`.',
        params: HolderParams,
        response: { 200: AttachedPolicyPage, ...problemResponses(400, 401, 403, notFound, 503) },
      },
    },
    async request => {
      const policies = await listAttachedPolicies(deps, callerOf(request), holderOf(request.params.id))
      return { items: policies.map(presentAttached), next_cursor: null }
    },
  )

  app.put(
    `${path}/:policy_id`,
    {
      config,
      schema: {
        operationId: `ensure${word}Policy`,
        tags,
        summary: `See to it that a policy is attached to a ${holder}`,
        description: `Nothing happens when it is. Needs \`policies:modify\`, every permission that the policy names, and ${needs}.`,
        params: AttachmentParams,
        headers: Precondition,
        response: {
          204: Done,
          ...problemResponses(
            400,
            401,
            403,
            'grant-exceeds-own',
            notFound,
            'policy-not-found',
            'built-in-role',
            412,
            'policy-not-attachable',
            503,
          ),
        },
      },
    },
    async (request, reply) => {
      const { id, policy_id } = request.params
      const policyId = policy_id as PolicyId
      await ensureAttached(deps, callerOf(request), holderOf(id), policyId, request.headers['if-match'])
      return reply.code(204).send(null)
    },
  )

  app.delete(
    `${path}/:policy_id`,
    {
      config,
      schema: {
        operationId: `detach${word}Policy`,
        tags,
        summary: `Take a policy away from a ${holder}`,
        description: `At once. Needs \`policies:modify\`, every permission that the policy names, and ${needs}.`,
        params: AttachmentParams,
        headers: Precondition,
        response: {
          204: Done,
          ...problemResponses(
            400,
            401,
            403,
            'grant-exceeds-own',
            notFound,
            'policy-not-found',
            'built-in-role',
            412,
            503,
          ),
        },
      },
    },
    async (request, reply) => {
      const { id, policy_id } = request.params
      const policyId = policy_id as PolicyId
      await detachPolicy(deps, callerOf(request), holderOf(id), policyId, request.headers['if-match'])
      return reply.code(204).send(null)
    },
  )
}

function presentAttached({ id, name, description, attachedAt }: PolicyOfHolder): AttachedPolicy {
  return { id, name, description, attached_at: attachedAt.toISOString() }
}

function presentAttachment({ type, id, name, attachedAt }: Attachment): AttachmentView {
  return { type, id, name, attached_at: attachedAt.toISOString() }
}
