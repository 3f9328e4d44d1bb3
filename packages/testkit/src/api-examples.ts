/** The examples of an API reference as calls, so that a test can send each as it stands and hold the answer to what is documented. */
import { Ajv } from 'ajv'
import addFormats from 'ajv-formats'
import type { ApiReference, Media, Operation } from './api-reference.ts'

export interface ExampleCall {
  /** As in `POST /api/v1/tokens`. */
  readonly name: string
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** With the names of its parameters in braces. */
  readonly path: string
  /** Examples of the parameters, by where they go and their names. */
  readonly params: Readonly<Record<string, string>>
  readonly query: Readonly<Record<string, string>>
  readonly contentType: string | undefined
  readonly body: unknown
}

export function listExampleCalls(reference: ApiReference): ExampleCall[] {
  return Object.entries(reference.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => {
      const [contentType, media] = Object.entries(operation.requestBody?.content ?? {})[0] ?? []
      return {
        name: `${method.toUpperCase()} ${path}`,
        method: method.toUpperCase() as ExampleCall['method'],
        path,
        params: examplesIn(operation, 'path'),
        query: examplesIn(operation, 'query'),
        contentType,
        body: media === undefined ? undefined : exampleOf(media),
      }
    }),
  )
}

function examplesIn({ parameters = [] }: Operation, place: string): Record<string, string> {
  return Object.fromEntries(
    parameters.flatMap(({ in: where, name, example, schema }) => {
      const value = example ?? (schema?.['default'] as typeof example)
      return where === place && value !== undefined ? [[name, String(value)]] : []
    }),
  )
}

function exampleOf({ example, examples = {} }: Media): unknown {
  return example ?? Object.values(examples)[0]?.value
}

interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | number | string[] | undefined>>
  readonly text: string
}

/** What an answer is that the reference does not say, or the reference says and it is not. */
export function listMisfits(reference: ApiReference, { path, method }: ExampleCall, answer: Answer): string[] {
  const response = reference.paths[path]?.[method.toLowerCase()]?.responses[answer.status]
  if (answer.status >= 400) return [`${answer.status} is no success: ${answer.text.slice(0, 300)}`]
  if (response === undefined) return [`${answer.status} is not documented`]
  const type = String(answer.headers['content-type'] ?? '').split(';')[0] ?? ''
  if (response.content === undefined) return answer.text === '' ? [] : ['a body is not documented']
  const media = response.content[type]
  if (media?.schema === undefined) return [`a body of the type ${type} is not documented`]
  if (type !== 'application/json') return []
  const body: unknown = JSON.parse(answer.text)
  const ajv = addFormats.default(new Ajv({ strict: false, allErrors: true }))
  const validate = ajv.compile({ ...media.schema, components: reference.components })
  const faults = validate(body) ? [] : [ajv.errorsText(validate.errors)]
  const unshown = Object.keys(media.schema.properties ?? {}).filter(
    name => isIn(body, name) && !isIn(exampleOf(media), name),
  )
  return [...faults, ...unshown.map(member => `the example of the answer does not show ${member}`)]
}

function isIn(value: unknown, member: string): boolean {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, member)
}
