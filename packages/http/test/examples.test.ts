import t from 'tap'
import { Type } from 'typebox'
import { buildExample, IdText, type JsonSchema, Moment, nullable } from '../src/index.ts'

const build = (schema: object) => buildExample(schema as JsonSchema, () => undefined)

t.test('the example of a whole', async t => {
  await t.test('is made of what its members say', async t => {
    const schema = Type.Object({
      id: IdText,
      at: Moment,
      name: Type.String({ examples: ['Ada', 'Grace'] }),
      kind: Type.Enum(['user', 'client']),
      only: Type.Literal('ok'),
      limit: Type.Integer({ default: 50 }),
      tags: Type.Array(Type.String({ examples: ['red'] })),
      nested: Type.Object({ on: Type.Boolean({ examples: [false] }) }),
    })
    t.strictSame(build(schema), {
      value: {
        id: '0199a3c4-7d2e-7b61-9f0a-3c5d8e1f2a4b',
        at: '2026-11-02T09:30:00.000Z',
        name: 'Ada',
        kind: 'user',
        only: 'ok',
        limit: 50,
        tags: ['red'],
        nested: { on: false },
      },
      missing: [],
    })
  })
  await t.test('is what is said of the whole, where that is said', async t => {
    const schema = Type.Object(
      { email: Type.String(), phone: Type.String() },
      { examples: [{ email: 'ada@example.com' }] },
    )
    t.strictSame(build(schema), { value: { email: 'ada@example.com' }, missing: [] })
  })
  await t.test('leaves out an optional member of which nothing is said', async t => {
    t.strictSame(build(Type.Object({ note: Type.Optional(Type.String()) })), { value: {}, missing: [] })
  })
  await t.test('takes null where nothing is said of the other choice', async t => {
    t.strictSame(build(Type.Object({ note: nullable(Type.String()) })), { value: { note: null }, missing: [] })
  })
  await t.test('follows a reference', async t => {
    const found = buildExample({ $ref: '#/components/schemas/Name' }, ref =>
      ref.endsWith('/Name') ? { type: 'string', examples: ['Ada'] } : undefined,
    )
    t.strictSame(found, { value: 'Ada', missing: [] })
  })
  await t.test('is missing by the pointers of the members that say nothing', async t => {
    const schema = Type.Object({
      name: Type.String(),
      size: Type.Number(),
      rows: Type.Array(Type.Object({ code: Type.String() })),
    })
    t.strictSame(build(schema).missing, ['/name', '/size', '/rows/0/code'])
  })
})
