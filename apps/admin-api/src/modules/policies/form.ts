/**
 * The JSON form: statements for people and programs that would rather not write Cedar. It becomes Cedar's own JSON, which Cedar
 * writes as text: no value of it is ever put into a text by us.
 */
import { strictObject } from '@signet/http'
import { type Static, Type } from 'typebox'
import { PermissionCode } from '../permissions/index.ts'
import type { PolicyJson } from './cedar.ts'
import { type Catalogue, explainAttribute, explainCode, principalAttributes } from './statements.ts'
import { mostStatements } from './source-text.ts'

const attribute = Type.String({
  pattern: '^(principal|resource|context)(\\.[A-Za-z_][A-Za-z0-9_-]{0,62}){1,5}$',
  description:
    'Of `principal`: `id`, `kind`, `tenant_id`, `roles`. Of `resource` and `context`: what the service sends',
  examples: ['resource.owner_id'],
})

const scalar = [
  Type.String({ maxLength: 1_000 }),
  Type.Integer({ minimum: Number.MIN_SAFE_INTEGER, maximum: Number.MAX_SAFE_INTEGER }),
  Type.Boolean(),
] as const

const operators = [
  'equals',
  'not_equals',
  'in',
  'less_than',
  'less_than_or_equals',
  'greater_than',
  'greater_than_or_equals',
  'contains',
  'has',
  'like',
] as const

const Condition = strictObject(
  {
    attribute,
    operator: Type.Enum(operators, {
      description:
        '`in`: is one of a list. `contains`: the attribute is a list and this is in it. `has`: the attribute is there at all; ' +
        'has no `value`. `like`: a text in which `*` stands for any',
    }),
    value: Type.Optional(
      Type.Union([...scalar, Type.Array(Type.Union([...scalar]), { maxItems: 200 }), strictObject({ attribute })], {
        description: 'A text, a whole number, true or false, a list of them, or another attribute to compare with',
        examples: [{ attribute: 'principal.id' }],
      }),
    ),
  },
  { description: 'All conditions of a statement have to hold' },
)
type Condition = Static<typeof Condition>

const FormStatement = strictObject({
  effect: Type.Enum(['permit', 'forbid']),
  actions: Type.Union(
    [Type.Literal('*'), Type.Array(PermissionCode, { minItems: 1, maxItems: 500, uniqueItems: true })],
    {
      description: 'Permissions of the catalogue, or `*` for every one that there is or will be',
      examples: [['invoices:read', 'invoices:modify']],
    },
  ),
  principal: Type.Optional(
    Type.Enum(['attached', 'everyone'], {
      description: 'Those whom the policy is attached to (as it is without this), or everybody in the tenant',
    }),
  ),
  resources: Type.Optional(
    strictObject({
      type: Type.String({
        pattern: '^[A-Za-z_][A-Za-z0-9_]{0,62}(::[A-Za-z_][A-Za-z0-9_]{0,62}){0,5}$',
        description: 'The type that the service gives its resources',
        examples: ['Invoice'],
      }),
      ids: Type.Optional(
        Type.Array(Type.String({ minLength: 1, maxLength: 255 }), { minItems: 1, maxItems: 200, uniqueItems: true }),
      ),
    }),
  ),
  conditions: Type.Optional(Type.Array(Condition, { maxItems: 20 })),
})
type FormStatement = Static<typeof FormStatement>

export const PolicyForm = Type.Array(FormStatement, {
  minItems: 1,
  maxItems: mostStatements,
  description: 'The statements of the policy, in the place of `source`',
  examples: [
    [
      {
        effect: 'permit',
        actions: ['invoices:modify'],
        resources: { type: 'Invoice' },
        conditions: [{ attribute: 'resource.owner_id', operator: 'equals', value: { attribute: 'principal.id' } }],
      },
    ],
  ],
})
export type PolicyForm = Static<typeof PolicyForm>

export interface FormFault {
  readonly pointer: string
  readonly message: string
}

/** What the form names that has no meaning here, by JSON pointer below `/form`. */
export function findFormFaults(form: PolicyForm, catalogue: Catalogue): FormFault[] {
  return form.flatMap(({ actions, conditions = [] }, number) => [
    ...(actions === '*' ? [] : actions).flatMap((code, index) => {
      const message = explainCode(code, catalogue)
      return message === undefined ? [] : [{ pointer: `/form/${number}/actions/${index}`, message }]
    }),
    ...conditions.flatMap((condition, index) => findConditionFaults(condition, `/form/${number}/conditions/${index}`)),
  ])
}

function findConditionFaults({ attribute: path, operator, value }: Condition, pointer: string): FormFault[] {
  const compared = typeof value === 'object' && 'attribute' in value ? value.attribute : undefined
  const faults = [
    ...unknownOf(path, `${pointer}/attribute`),
    ...(compared === undefined ? [] : unknownOf(compared, `${pointer}/value/attribute`)),
  ]
  const message = explainValue(operator, value)
  return message === undefined ? faults : [...faults, { pointer: `${pointer}/value`, message }]
}

function unknownOf(path: string, pointer: string): FormFault[] {
  const [of, name = ''] = path.split('.')
  return of !== 'principal' || principalAttributes.has(name) ? [] : [{ pointer, message: explainAttribute(name) }]
}

/** Why the operator cannot take the value; undefined where it can. */
function explainValue(operator: Condition['operator'], value: Condition['value']): string | undefined {
  if (operator === 'has') return value === undefined ? undefined : 'must not be there: `has` compares nothing'
  if (value === undefined) return 'is required'
  const isList = Array.isArray(value)
  const isAttribute = typeof value === 'object' && !isList
  if (operator === 'in') return isList || isAttribute ? undefined : 'must be a list, or an attribute that is one'
  if (operator === 'like') return typeof value === 'string' ? undefined : 'must be a text'
  if (/^(less|greater)_/.test(operator))
    return typeof value === 'number' || isAttribute ? undefined : 'must be a whole number, or an attribute'
  return undefined
}

type Expression = Extract<PolicyJson['conditions'][number], { kind: 'when' }>['body']

/** One statement of the form as Cedar's own JSON. */
export function toCedarJson({ effect, actions, principal = 'attached', resources, conditions = [] }: FormStatement): {
  readonly json: PolicyJson
  readonly hasSlot: boolean
} {
  const { type, ids = [] } = resources ?? {}
  const [only] = ids
  const several = type === undefined || ids.length < 2 ? [] : [isOneOf(ids.map(id => ({ type, id })))]
  const json: PolicyJson = {
    effect,
    principal: principal === 'everyone' ? { op: 'All' } : { op: 'in', slot: '?principal' },
    action: actions === '*' ? { op: 'All' } : { op: 'in', entities: actions.map(id => ({ type: 'Action', id })) },
    resource:
      type === undefined
        ? { op: 'All' }
        : ids.length === 1 && only !== undefined
          ? { op: '==', entity: { type, id: only } }
          : { op: 'is', entity_type: type },
    conditions: [...several, ...conditions.map(toExpression)].map(body => ({ kind: 'when', body })),
  }
  return { json, hasSlot: principal !== 'everyone' }
}

function isOneOf(entities: readonly { readonly type: string; readonly id: string }[]): Expression {
  const left: Expression = { Set: entities.map(entity => ({ Value: { __entity: entity } })) }
  return { contains: { left, right: { Var: 'resource' } } }
}

const comparisons = {
  equals: '==',
  not_equals: '!=',
  less_than: '<',
  less_than_or_equals: '<=',
  greater_than: '>',
  greater_than_or_equals: '>=',
  contains: 'contains',
} as const

function toExpression({ attribute: path, operator, value }: Condition): Expression {
  const left = readAttribute(path)
  if (operator === 'has') {
    const dot = path.lastIndexOf('.')
    return { has: { left: readAttribute(path.slice(0, dot)), attr: path.slice(dot + 1) } }
  }
  if (operator === 'like') return { like: { left, pattern: toPattern(value as string) } }
  const right = toOperand(value)
  if (operator === 'in') return { contains: { left: right, right: left } }
  return { [comparisons[operator]]: { left, right } } as Expression
}

function readAttribute(path: string): Expression {
  const [of, ...names] = path.split('.')
  return names.reduce<Expression>((left, attr) => ({ '.': { left, attr } }), {
    Var: of as 'principal' | 'resource' | 'context',
  })
}

function toOperand(value: Condition['value']): Expression {
  if (Array.isArray(value)) return { Set: value.map(Value => ({ Value })) }
  return typeof value === 'object' ? readAttribute(value.attribute) : { Value: value ?? null }
}

function toPattern(text: string) {
  return text
    .split('*')
    .flatMap((literal, index) => [
      ...(index === 0 ? [] : (['Wildcard'] as const)),
      ...(literal === '' ? [] : [{ Literal: literal }]),
    ])
}
