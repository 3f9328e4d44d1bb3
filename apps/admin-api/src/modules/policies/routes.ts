import { type App, problemResponses } from '@signet/http'
import { type PolicyId, problem } from '@signet/kernel'
import { Type } from 'typebox'
import type { Deps } from '../../deps.ts'
import { callerOf } from '../../wire/caller.ts'
import { pageOf, sendPage } from '../../wire/pages.ts'
import { etagOf, Precondition } from '../../wire/versions.ts'
import { type Answer, IdempotencyHeader, onceOf, onceProblems } from '../idempotency/index.ts'
import type { Draft } from './compile.ts'
import {
  NewPolicy,
  PolicyChange,
  PolicyParams,
  PolicyQuery,
  PolicyReport,
  PolicySummary,
  PolicyText,
  PolicyView,
  type StatementView,
} from './schema.ts'
import {
  changePolicy,
  createPolicy,
  type ListedPolicy,
  listPolicies,
  type Policy,
  readPolicy,
  removePolicy,
  validatePolicy,
} from './service.ts'
import type { Statement } from './statements.ts'

const config = { access: {} }
const tags = ['Policies']
const Done = Type.Null({ description: 'Done' })
/** A text of 64 kB, and as much again for what JSON escapes in it and for a form that is longer than its text. */
const bodyLimit = 256 * 1024

export function servePolicies(app: App, deps: Deps): void {
  app.get(
    '/policies',
    {
      config,
      schema: {
        operationId: 'listPolicies',
        tags,
        summary: 'List policies',
        description: 'The policies of this tenant, without their texts. Needs `policies:list`.',
        querystring: PolicyQuery,
        response: { 200: pageOf(PolicySummary), ...problemResponses(400, 'invalid-cursor', 401, 403, 503) },
      },
    },
    async (request, reply) =>
      sendPage(reply, request, await listPolicies(deps, callerOf(request), request.query), presentSummary),
  )

  app.post(
    '/policies',
    {
      config,
      bodyLimit,
      schema: {
        operationId: 'createPolicy',
        tags,
        summary: 'Create a policy',
        description:
          'As Cedar text or in the JSON form. Needs `policies:create` and every permission that the policy names, whether ' +
          'it permits or forbids.',
        headers: IdempotencyHeader,
        body: NewPolicy,
        response: {
          201: PolicyView,
          ...problemResponses(
            400,
            401,
            403,
            'grant-exceeds-own',
            'policy-name-taken',
            'concurrent-change',
            ...onceProblems,
            413,
            415,
            'invalid-policy',
            503,
          ),
        },
      },
    },
    async (request, reply) => {
      const draft = requireDraft(request.body)
      const once = onceOf(deps.keys.idempotency, request, presentCreated)
      const answer = await createPolicy(deps, callerOf(request), request.body, draft, once)
      return reply.code(201).headers(answer.headers).send(answer.body)
    },
  )

  app.post(
    '/policies/validate',
    {
      config,
      bodyLimit,
      schema: {
        operationId: 'validatePolicy',
        tags,
        summary: 'See what a policy says, or what is wrong with it',
        description:
          'Writes nothing. Each fault has its line and column, or its place in the form. Needs `policies:read`.',
        body: PolicyText,
        response: { 200: PolicyReport, ...problemResponses(400, 401, 403, 413, 415, 503) },
      },
    },
    async request => {
      const report = await validatePolicy(deps, callerOf(request), requireDraft(request.body))
      return 'faults' in report
        ? { valid: false, errors: [...report.faults], source: null, statements: [] }
        : { valid: true, errors: [], source: report.source, statements: report.statements.map(presentStatement) }
    },
  )

  app.get(
    '/policies/:id',
    {
      config,
      schema: {
        operationId: 'readPolicy',
        tags,
        summary: 'Read a policy',
        description: 'Needs `policies:read`.',
        params: PolicyParams,
        response: { 200: PolicyView, ...problemResponses(400, 401, 403, 'policy-not-found', 503) },
      },
    },
    async (request, reply) => {
      const policy = await readPolicy(deps, callerOf(request), request.params.id as PolicyId)
      reply.header('etag', etagOf(policy))
      return presentPolicy(policy)
    },
  )

  app.patch(
    '/policies/:id',
    {
      config,
      bodyLimit,
      schema: {
        operationId: 'changePolicy',
        tags,
        summary: 'Change a policy',
        description:
          'For everybody it is attached to, at once. Needs `policies:modify`, every permission that it named and will name, ' +
          'and `If-Match`.',
        params: PolicyParams,
        headers: Precondition,
        body: PolicyChange,
        response: {
          200: PolicyView,
          ...problemResponses(
            400,
            401,
            403,
            'grant-exceeds-own',
            'policy-not-found',
            'policy-name-taken',
            'concurrent-change',
            412,
            413,
            415,
            'invalid-policy',
            'policy-not-attachable',
            428,
            503,
          ),
        },
      },
    },
    async (request, reply) => {
      const { params, body, headers } = request
      const { name, description } = body
      const change = {
        ...(name === undefined ? {} : { name }),
        ...(description === undefined ? {} : { description: description ?? '' }),
      }
      const id = params.id as PolicyId
      const policy = await changePolicy(deps, callerOf(request), id, change, draftOf(body), headers['if-match'])
      reply.header('etag', etagOf(policy))
      return presentPolicy(policy)
    },
  )

  app.delete(
    '/policies/:id',
    {
      config,
      schema: {
        operationId: 'removePolicy',
        tags,
        summary: 'Remove a policy',
        description:
          'One that is attached to nobody. Needs `policies:delete`, every permission that it names, and `If-Match`.',
        params: PolicyParams,
        headers: Precondition,
        response: { 204: Done, ...problemResponses(400, 401, 403, 'policy-not-found', 'policy-in-use', 412, 428, 503) },
      },
    },
    async (request, reply) => {
      await removePolicy(deps, callerOf(request), request.params.id as PolicyId, request.headers['if-match'])
      return reply.code(204).send(null)
    },
  )
}

/** @throws Problem `invalid-input` for both or neither */
function requireDraft(body: PolicyText): Draft {
  const draft = draftOf(body)
  if (draft !== undefined) return draft
  throw problem('invalid-input', undefined, { errors: [{ pointer: '/source', message: 'is required, or `form`' }] })
}

/** Undefined where neither is there. @throws Problem `invalid-input` for both */
function draftOf({ source, form }: PolicyText): Draft | undefined {
  if (source !== undefined && form !== undefined)
    throw problem('invalid-input', undefined, {
      errors: [{ pointer: '/form', message: 'cannot stand beside `source`' }],
    })
  if (source !== undefined) return { source }
  return form === undefined ? undefined : { form }
}

function presentStatement({ isTemplate, isForOne, isConditional, ...statement }: Statement): StatementView {
  const { number, line, effect, actions } = statement
  return {
    number,
    line,
    effect,
    actions: actions === null ? null : [...actions],
    applies_to: isTemplate ? 'attached' : 'everyone',
    attachable_to: isForOne ? ['user'] : isTemplate ? ['user', 'role'] : [],
    is_conditional: isConditional,
  }
}

function presentSummary({ id, name, description, statements, createdAt, updatedAt }: ListedPolicy): PolicySummary {
  return {
    id,
    name,
    description,
    statements: statements.map(presentStatement),
    created_at: createdAt.toISOString(),
    updated_at: updatedAt.toISOString(),
  }
}

function presentPolicy(policy: Policy): PolicyView {
  return { ...presentSummary(policy), source: policy.source, form: policy.form }
}

function presentCreated(policy: Policy): Answer<PolicyView> {
  const headers = { location: `/admin/v1/policies/${policy.id}`, etag: etagOf(policy) }
  return { status: 201, headers, body: presentPolicy(policy) }
}
