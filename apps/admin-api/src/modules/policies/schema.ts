import { FaultSchema, IdText, Moment, nullable, strictObject } from '@signet/http'
import { type Static, Type } from 'typebox'
import { listQuery, SearchText } from '../lists/index.ts'
import { PolicyForm } from './form.ts'
import { mostBytes, mostStatements } from './source-text.ts'

const exampleSource = [
  'permit (principal in ?principal, action == Action::"invoices:modify", resource is Invoice)',
  'when { resource.owner_id == principal.id };',
].join('\n')
const exampleId = '0190f3c4-7d3a-7cc0-a1b2-3c4d5e6f7a8b'
const exampleTime = '2026-11-21T09:30:00.000Z'

const name = Type.String({
  minLength: 1,
  maxLength: 100,
  pattern: '^[^\\p{C}\\s]([^\\p{C}]*[^\\p{C}\\s])?$',
  description: 'No control characters, no blanks around it',
  examples: ['own invoices'],
})
const description = Type.String({ maxLength: 500, examples: ['Whoever has an invoice may change it'] })
const source = Type.String({
  description: `Cedar text: at most ${mostStatements} statements and ${mostBytes} bytes. In the place of \`form\``,
  examples: [exampleSource],
})

const exampleStatement = {
  number: 1,
  line: 1,
  effect: 'permit',
  actions: ['invoices:modify'],
  applies_to: 'attached',
  attachable_to: ['user', 'role'],
  is_conditional: true,
}

const StatementView = Type.Object(
  {
    number: Type.Integer({ description: 'In the text, from 1' }),
    line: Type.Integer({ description: 'Where it begins, from 1' }),
    effect: Type.Enum(['permit', 'forbid']),
    actions: nullable(
      Type.Array(Type.String(), { description: 'Permissions that it names; null where it names every one' }),
    ),
    applies_to: Type.Enum(['attached', 'everyone']),
    attachable_to: Type.Array(Type.Enum(['user', 'role'])),
    is_conditional: Type.Boolean({ description: 'Depends on more than who and which action: tokens do not show it' }),
  },
  { examples: [exampleStatement] },
)
export type StatementView = Static<typeof StatementView>

const summary = {
  id: IdText,
  name: Type.String({ examples: ['own invoices'] }),
  description: Type.String({ examples: ['Whoever has an invoice may change it'] }),
  statements: Type.Array(StatementView),
  created_at: Moment,
  updated_at: Moment,
}
const exampleSummary = {
  id: exampleId,
  name: 'own invoices',
  description: 'Whoever has an invoice may change it',
  created_at: exampleTime,
  updated_at: exampleTime,
}

/** Without the texts, which would make a page too long. */
export const PolicySummary = Type.Object(summary)
export type PolicySummary = Static<typeof PolicySummary>

export const PolicyView = Type.Object(
  {
    ...summary,
    source: Type.String({ description: 'Cedar text' }),
    form: nullable(PolicyForm),
  },
  { examples: [{ ...exampleSummary, source: exampleSource, form: null, statements: [exampleStatement] }] },
)
export type PolicyView = Static<typeof PolicyView>

export const PolicyQuery = listQuery(['created_at', 'name'], 'created_at', {
  q: SearchText,
  name: Type.Optional(Type.String({ minLength: 1, maxLength: 100 })),
  action: Type.Optional(
    Type.String({ minLength: 1, maxLength: 100, description: 'Those that name this permission, or every one' }),
  ),
})
export type PolicyQuery = Static<typeof PolicyQuery>

export const PolicyParams = strictObject({ id: IdText })

export const NewPolicy = strictObject(
  {
    name,
    description: Type.Optional(description),
    source: Type.Optional(source),
    form: Type.Optional(PolicyForm),
  },
  {
    description: 'With `source` or with `form`, not with both',
    examples: [{ name: 'own invoices', source: exampleSource }],
  },
)
export type NewPolicy = Static<typeof NewPolicy>

export const PolicyChange = strictObject(
  {
    name: Type.Optional(name),
    description: Type.Optional(nullable(description)),
    source: Type.Optional(source),
    form: Type.Optional(PolicyForm),
  },
  {
    minProperties: 1,
    description:
      'A merge patch (RFC 7396): absent members stay; `source` and `form` take the place of what was written',
    examples: [{ description: 'For everybody in sales' }],
  },
)
export type PolicyChange = Static<typeof PolicyChange>

export const PolicyText = strictObject(
  { source: Type.Optional(source), form: Type.Optional(PolicyForm) },
  { description: 'One of the two', examples: [{ source: exampleSource }] },
)
export type PolicyText = Static<typeof PolicyText>

export const PolicyReport = Type.Object(
  {
    valid: Type.Boolean(),
    errors: Type.Array(FaultSchema),
    source: nullable(
      Type.String({ description: 'The Cedar text, also what a form became; null where it is not valid' }),
    ),
    statements: Type.Array(StatementView),
  },
  {
    examples: [
      {
        valid: false,
        errors: [{ pointer: '/source', message: 'unexpected token `action`, expected `,`', line: 1, column: 19 }],
        source: null,
        statements: [],
      },
    ],
  },
)
export type PolicyReport = Static<typeof PolicyReport>
