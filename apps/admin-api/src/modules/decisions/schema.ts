/** OpenID AuthZEN Authorization API 1.0, sections 5 to 7. Unknown members are refused, as everywhere. */
import { IdText, nullable, strictObject } from '@signet/http'
import { type Static, Type } from 'typebox'
import { PermissionCode } from '../permissions/index.ts'

const properties = Type.Record(Type.String(), Type.Unknown(), {
  description: 'Whatever the policies read, nested at most 32 levels deep',
})
const invoice = { type: 'Invoice', id: '7', properties: { owner_id: '0199d1f0-7a2b-7c3d-8e4f-5a6b7c8d9e0f' } }
const person = { type: 'user', id: '0199d1f0-7a2b-7c3d-8e4f-5a6b7c8d9e0f' }

const AskedSubject = strictObject(
  {
    type: Type.Literal('user', { description: 'People and business accounts alike' }),
    id: Type.String({ minLength: 1, maxLength: 256, description: 'A user id' }),
    properties: Type.Optional(
      strictObject(
        { tenant_id: Type.Optional(IdText) },
        { description: 'A service key says by it which tenant it asks about; a token asks about its own' },
      ),
    ),
  },
  { examples: [person] },
)
export type AskedSubject = Static<typeof AskedSubject>

const AskedAction = strictObject(
  {
    name: Type.String({ minLength: 1, maxLength: 128, description: 'A permission' }),
    properties: Type.Optional(properties),
  },
  { examples: [{ name: 'invoices:read' }] },
)

const AskedResource = strictObject(
  {
    type: Type.String({ minLength: 1, maxLength: 128, description: 'A name as policies write it: `Invoice`' }),
    id: Type.String({ maxLength: 1_024 }),
    properties: Type.Optional(properties),
  },
  { examples: [invoice] },
)

const AskedContext = Type.Object(
  { explain: Type.Optional(Type.Boolean({ description: 'Say why. Policies do not see it' })) },
  {
    additionalProperties: true,
    description: 'Whatever the policies read beside subject and resource',
    examples: [{ explain: true, ip: '192.0.2.7' }],
  },
)

export const Evaluation = strictObject(
  {
    subject: AskedSubject,
    action: AskedAction,
    resource: AskedResource,
    context: Type.Optional(AskedContext),
  },
  {
    examples: [{ subject: person, action: { name: 'invoices:read' }, resource: invoice, context: { explain: true } }],
  },
)
export type Evaluation = Static<typeof Evaluation>

const asked = {
  subject: Type.Optional(AskedSubject),
  action: Type.Optional(AskedAction),
  resource: Type.Optional(AskedResource),
  context: Type.Optional(AskedContext),
}

const EvaluationsSemantic = Type.Union([
  Type.Literal('execute_all'),
  Type.Literal('deny_on_first_deny'),
  Type.Literal('permit_on_first_permit'),
])
export type EvaluationsSemantic = Static<typeof EvaluationsSemantic>

export const Evaluations = strictObject(
  {
    ...asked,
    evaluations: Type.Optional(
      Type.Array(strictObject(asked), {
        maxItems: 100,
        description: 'Each takes what it leaves out from the top level. Without any, the top level is the question',
      }),
    ),
    options: Type.Optional(
      strictObject({
        evaluations_semantic: Type.Optional(EvaluationsSemantic),
      }),
    ),
  },
  {
    examples: [
      {
        subject: person,
        resource: invoice,
        evaluations: [{ action: { name: 'invoices:read' } }, { action: { name: 'invoices:modify' } }],
        options: { evaluations_semantic: 'deny_on_first_deny' },
      },
    ],
  },
)
export type Evaluations = Static<typeof Evaluations>

const named = Type.Optional(Type.Object({ id: Type.String(), name: Type.String() }))

const becauseOfRole = {
  type: 'role',
  permission: 'invoices:read',
  role: { id: '0199d1f0-7a2b-7c3d-8e4f-5a6b7c8d9e0f', name: 'billing' },
  message: 'The role billing holds the permission invoices:read.',
}

const ReasonView = Type.Object(
  {
    type: Type.String({
      description:
        '`role`, `permit`, `forbid`, `permit-error`, `forbid-error`, `missing`, `ceiling`, `question` or `subject`',
    }),
    message: Type.String({ description: 'A sentence for people' }),
    permission: Type.Optional(Type.String()),
    role: named,
    policy: named,
    statement: Type.Optional(Type.Integer({ description: 'Of the policy, 1 for the first' })),
    line: Type.Optional(Type.Integer({ description: 'Of its text' })),
    error: Type.Optional(Type.String({ description: 'Why a condition cannot be evaluated' })),
    client: Type.Optional(Type.String({ description: 'The client that a sub-client never surpasses' })),
  },
  { examples: [becauseOfRole] },
)

export const EvaluationView = Type.Object(
  {
    decision: Type.Boolean(),
    context: Type.Optional(Type.Object({ reasons: Type.Array(ReasonView) })),
  },
  { examples: [{ decision: true, context: { reasons: [becauseOfRole] } }] },
)
export type EvaluationView = Static<typeof EvaluationView>

/** One of both: what a question without `evaluations` gets is an answer without them. */
export const EvaluationsView = Type.Object(
  {
    decision: Type.Optional(Type.Boolean()),
    context: EvaluationView.properties.context,
    evaluations: Type.Optional(
      Type.Array(EvaluationView, { description: 'In the order of the questions; fewer where one has decided for all' }),
    ),
  },
  { examples: [{ evaluations: [{ decision: true }, { decision: false }] }] },
)

export const AuthzenConfiguration = Type.Object(
  {
    policy_decision_point: Type.String(),
    access_evaluation_endpoint: Type.String(),
    access_evaluations_endpoint: Type.String(),
  },
  {
    examples: [
      {
        policy_decision_point: 'https://admin.example.com',
        access_evaluation_endpoint: 'https://admin.example.com/access/v1/evaluation',
        access_evaluations_endpoint: 'https://admin.example.com/access/v1/evaluations',
      },
    ],
  },
)

export const RoleRef = strictObject({ id: IdText })

export const ImpactQuery = strictObject({
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 200, default: 50 })),
  cursor: Type.Optional(Type.String({ format: 'uuid', description: 'The `next_cursor` of the page before' })),
})
export type ImpactQuery = Static<typeof ImpactQuery>

export const ProposedChange = strictObject(
  {
    permissions: Type.Optional(
      Type.Array(PermissionCode, {
        maxItems: 1_000,
        uniqueItems: true,
        description: 'What the role would hold, as a whole',
        examples: [['invoices:read']],
      }),
    ),
    policies: Type.Optional(
      Type.Array(IdText, {
        maxItems: 20,
        uniqueItems: true,
        description: 'Policies that would be attached beside those that are',
        examples: [['0199d1f0-7a2b-7c3d-8e4f-5a6b7c8d9e0f']],
      }),
    ),
  },
  { minProperties: 1, examples: [{ permissions: ['invoices:read'] }] },
)
export type ProposedChange = Static<typeof ProposedChange>

const codes = (description: string) => Type.Array(Type.String(), { description, examples: [['invoices:read']] })

export const ImpactView = Type.Object({
  items: Type.Array(
    Type.Object({
      user_id: IdText,
      name: nullable(Type.String({ examples: ['Ada Lovelace'] })),
      gains: codes('What they may then and not now'),
      loses: codes('What they may now and not then'),
      may_gain: codes('What they may more often then: conditions decide'),
      may_lose: codes('What they may less often then: conditions decide'),
    }),
    { description: 'Everybody whom it concerns, in the order of their ids; also those for whom nothing changes' },
  ),
  next_cursor: nullable(Type.String({ description: 'Null on the last page' })),
  total: Type.Integer({ description: 'How many people it concerns', examples: [12] }),
})
export type ImpactView = Static<typeof ImpactView>
