import t from 'tap'
import { type ApiReference, listMissing } from '../src/index.ts'

const answer = (schema: object, rest: object = {}) => ({ content: { 'application/json': { schema, ...rest } } })
const complete = {
  operationId: 'readThing',
  summary: 'Read a thing',
  description: 'Needs `things:read`.',
  tags: ['Things'],
  security: [{ bearer: [] }],
  responses: { 200: answer({ type: 'string' }, { example: 'a thing' }), 400: {}, 401: {} },
}
const reference = (operations: Record<string, object>): ApiReference =>
  ({ openapi: '3.1.0', info: {}, tags: [{ name: 'Things' }], paths: { '/things/{id}': operations } }) as never

t.test('nothing is missing of an operation that says all', async t => {
  t.strictSame(listMissing(reference({ get: complete })), [])
})

t.test('what is missing is named', async t => {
  const faults: [string, object, string][] = [
    ['an id', { operationId: undefined }, 'operationId "" is not in camelCase'],
    ['another case', { operationId: 'read_thing' }, 'operationId "read_thing" is not in camelCase'],
    ['a summary', { summary: '' }, 'no summary'],
    ['a description', { description: undefined }, 'no description'],
    ['a tag that is described', { tags: ['Others'] }, 'needs one tag that is described'],
    ['the refusal of strangers', { responses: { 200: complete.responses[200], 400: {} } }, 'no answer 401'],
    ['the refusal of faulty input', { responses: { 200: complete.responses[200], 401: {} } }, 'no answer 400'],
    [
      'the example of an answer',
      { responses: { ...complete.responses, 200: answer({ type: 'string' }) } },
      '200: the whole has neither `examples` nor a default',
    ],
    [
      'the example of a body',
      {
        requestBody: answer({ type: 'object', required: ['name'], properties: { name: { type: 'string' } } }),
      },
      'body: /name has neither `examples` nor a default',
    ],
    [
      'an example that is valid',
      { responses: { ...complete.responses, 200: answer({ type: 'string' }, { example: 7 }) } },
      '200: its example is not valid: data must be string',
    ],
  ]
  for (const [what, change, fault] of faults) {
    t.strictSame(listMissing(reference({ get: { ...complete, ...change } })), [`GET /things/{id}: ${fault}`], what)
  }
  const twice = listMissing(reference({ get: complete, put: complete }))
  t.strictSame(twice, ['PUT /things/{id}: operationId "readThing" is taken'])
})
