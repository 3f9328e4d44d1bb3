/** What is asked: permissions that are there or not, and resources of every form that JSON can spell. */
import type { Resource } from '@signet/verifier'
import * as fc from 'fast-check'
import { place } from './scenes.ts'

export interface Question {
  /** Place among the permissions of the company, or a text. */
  readonly permission: number | string
  readonly resource: Resource | undefined
}

const types = [
  'Invoice',
  'Invoice',
  'Invoice',
  'Billing::Invoice',
  'User',
  'User',
  'Role',
  'Tenant',
  'Action',
  'Billing::User',
  '_x9',
  'Cedar',
  'A'.repeat(128),
  'isnt',
  'permit',
  'principal',
  'Set',
  'decimal',
  'Record',
  'Long',
] as const
const unreadable = [
  'if',
  'Invoice::in',
  '__cedar',
  '__cedar::Entity',
  'true::Invoice',
  'a b',
  '::Invoice',
  'Invoice::',
  'Ünvoice',
  '9x',
  '"',
  'Invoice\n',
  'A::B:C',
] as const
/** `$me` and the like stand for ids of the company. */
const ids = [
  '1',
  '1',
  '$me',
  '$person',
  '$role',
  '$tenant',
  '',
  '"; permit(principal, action, resource);',
  '\n',
  '🦆',
] as const
const halves = ['\ud800', 'a\udc00b'] as const

/** NUL is taken by no route of ours, whatever it is for. */
const anyText = (maxLength: number) => fc.string({ unit: 'binary', maxLength }).map(text => text.replaceAll('\0', '0'))

const texts = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.constantFrom('a;b', 'a"b', '$me', 'role 1', 'client', '1.25', '0.7500001', '10.1.2.3', ''),
  },
  { weight: 3, arbitrary: anyText(8) },
)
const numbers = fc.oneof(
  fc.integer({ min: 97, max: 101 }),
  fc.constantFrom(0, -0, 1.5, -1e-7, 1e21, 2 ** 53, -(2 ** 53) + 1, Number.MAX_VALUE, 5e-324),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
)
const names = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.constantFrom('is_open', 'owner_id', 'amount', 'tags', 'part', 'deep', 'rate', 'name', 'roles', 'ip'),
  },
  { weight: 2, arbitrary: fc.constantFrom('id', 'kind', 'tenant_id', '', 'type', 'uid', 'a b', 'toString') },
  { weight: 1, arbitrary: anyText(6).filter(name => name !== '__proto__') },
)
const values = (depth: number): fc.Arbitrary<unknown> =>
  fc.oneof(
    { weight: 3, arbitrary: fc.boolean() },
    { weight: 3, arbitrary: texts },
    { weight: 3, arbitrary: numbers },
    { weight: 1, arbitrary: fc.constant(null) },
    ...(depth === 0
      ? []
      : [
          { weight: 2, arbitrary: fc.array(values(depth - 1), { maxLength: 3 }) },
          { weight: 2, arbitrary: fc.dictionary(names, values(depth - 1), { maxKeys: 3 }) },
        ]),
  )

/** Of the types that the conditions expect. */
const fitting = fc.record(
  {
    is_open: fc.boolean(),
    owner_id: fc.constantFrom('$me', '$person', 'nobody'),
    amount: fc.integer({ min: 97, max: 101 }),
    tags: fc.uniqueArray(fc.constantFrom('a;b', 'c', 'd'), { maxLength: 3 }),
    part: fc.record({ deep: fc.uniqueArray(fc.constantFrom(1, 2), { maxLength: 2 }) }),
    rate: fc.constantFrom('1.25', '2.5', 'much', 1.25, 2.5),
    name: fc.constantFrom('a"b', 'b'),
    roles: fc.uniqueArray(fc.constantFrom('role 0', 'role 1', 'member'), { maxLength: 2 }),
    ip: fc.constantFrom('10.1.2.3', '192.0.2.1', 'nowhere'),
    kind: fc.constantFrom('client', 'user'),
  },
  { requiredKeys: [] },
)
const properties: fc.Arbitrary<Resource['properties']> = fc.option(
  fc.oneof(
    { weight: 6, arbitrary: fitting },
    { weight: 4, arbitrary: fc.dictionary(names, values(3), { maxKeys: 5 }) },
  ),
  { nil: undefined, freq: 6 },
)

const nested = (depth: number) =>
  JSON.parse(`${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`) as Readonly<Record<string, unknown>>
const faulty = fc.constantFrom<Resource['properties'][]>(
  { '\ud800': 1 },
  { name: '\udfff' },
  { 'a/b~c': ['x', { __entity: { type: 'User', id: '$me' } }] },
  { __extn: { fn: 'ip', arg: '10.0.0.1' } },
  { part: { __expr: '1' } },
  nested(32),
  nested(33),
  { tags: [[[[['\ud800']]]]] },
)

const resourceOf = (type: fc.Arbitrary<string>, id: fc.Arbitrary<string>, said: fc.Arbitrary<Resource['properties']>) =>
  fc
    .record({ type, id, properties: said })
    .map(({ properties: own, ...rest }): Resource => (own === undefined ? rest : { ...rest, properties: own }))
const type = fc.constantFrom(...types)
const id = fc.oneof({ weight: 5, arbitrary: fc.constantFrom(...ids) }, { weight: 1, arbitrary: anyText(40) })

export const question: fc.Arbitrary<Question> = fc.record({
  permission: fc.oneof(
    { weight: 16, arbitrary: place },
    {
      weight: 1,
      arbitrary: fc.constantFrom(
        'nowhere:read',
        'tenants:create',
        'x',
        'toString',
        '__proto__',
        'users:list ',
        '"',
        '🦆',
      ),
    },
  ),
  resource: fc.oneof(
    { weight: 3, arbitrary: fc.constant(undefined) },
    { weight: 20, arbitrary: resourceOf(type, id, properties) },
    { weight: 1, arbitrary: resourceOf(fc.constantFrom(...unreadable), id, properties) },
    { weight: 1, arbitrary: resourceOf(type, fc.constantFrom(...halves), properties) },
    { weight: 1, arbitrary: resourceOf(type, id, faulty) },
  ),
})
