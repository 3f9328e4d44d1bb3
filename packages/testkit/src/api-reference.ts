/**
 * What every operation of an API reference owes its reader: a name, what it does, an example of what goes in and what comes
 * out, and its problems. Whoever adds a route hears by name what is missing.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { buildExample, type JsonSchema } from '@signet/http'
import { Ajv } from 'ajv'
import addFormats from 'ajv-formats'
import type { Test } from 'tap'

export interface Media {
  readonly schema?: JsonSchema
  readonly example?: unknown
  readonly examples?: Readonly<Record<string, { value?: unknown; $ref?: string }>>
}

export interface Operation {
  readonly operationId?: string
  readonly summary?: string
  readonly description?: string
  readonly tags?: readonly string[]
  readonly security?: readonly object[]
  readonly parameters?: readonly {
    readonly in: string
    readonly name: string
    readonly example?: string | number | boolean
    readonly schema?: JsonSchema
  }[]
  readonly requestBody?: { readonly content?: Readonly<Record<string, Media>> }
  readonly responses: Readonly<Record<string, { readonly content?: Readonly<Record<string, Media>> }>>
}

export interface ApiReference {
  readonly openapi: string
  readonly info: { readonly version?: string }
  readonly servers?: readonly object[]
  readonly tags?: readonly { readonly name: string }[]
  readonly components?: {
    readonly schemas?: Readonly<Record<string, JsonSchema>>
    readonly examples?: Readonly<Record<string, { value?: unknown }>>
  }
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
}

/** Compares the reference with the file that was agreed; TAP_SNAPSHOT=1 writes it anew. Then nothing may be missing. */
export function checkApiReference(t: Test, reference: ApiReference, file: URL): void {
  // The version and the address differ from one installation to the next.
  const agreed = { ...reference, info: { ...reference.info, version: '0.0.0' }, servers: [{ url: '/' }] }
  const document = `${JSON.stringify(agreed, null, 2)}\n`
  if (process.env['TAP_SNAPSHOT'] === '1') writeFileSync(file, document)
  t.equal(reference.openapi, '3.1.0')
  const change = `where the change is meant, run this file with TAP_SNAPSHOT=1 and commit ${file.pathname.split('/').slice(-3).join('/')}`
  t.same(JSON.parse(document), JSON.parse(readFileSync(file, 'utf8')), change)
  t.strictSame(listMissing(reference), [], 'every operation says all that a caller needs')
}

export function listMissing(reference: ApiReference): string[] {
  const ids = new Set<string>()
  const tags = new Set(reference.tags?.map(({ name }) => name))
  return Object.entries(reference.paths).flatMap(([path, methods]) =>
    Object.entries(methods).flatMap(([method, operation]) => {
      const faults = [...namingFaults(operation, ids, tags), ...failureFaults(operation, path)]
      for (const [where, media] of mediaOf(operation)) {
        faults.push(...exampleFaults(reference, media).map(fault => `${where}: ${fault}`))
      }
      return faults.map(fault => `${method.toUpperCase()} ${path}: ${fault}`)
    }),
  )
}

function namingFaults(operation: Operation, ids: Set<string>, tags: ReadonlySet<string>): string[] {
  const { operationId = '', summary, description } = operation
  const faults: string[] = []
  if (!/^[a-z]+([A-Z][a-z]*)*$/.test(operationId)) faults.push(`operationId "${operationId}" is not in camelCase`)
  if (ids.has(operationId)) faults.push(`operationId "${operationId}" is taken`)
  ids.add(operationId)
  if (!summary) faults.push('no summary')
  if (!description) faults.push('no description')
  if (operation.tags?.length !== 1 || !tags.has(operation.tags[0] ?? '')) faults.push('needs one tag that is described')
  return faults
}

/** What can fail says so: whoever must show who they are, name a thing or send something. */
function failureFaults({ responses, security, requestBody }: Operation, path: string): string[] {
  const faults: string[] = []
  if (security?.length !== 0 && responses['401'] === undefined) faults.push('no answer 401')
  const readsInput = path.includes('{') || requestBody !== undefined
  if (readsInput && !('400' in responses) && !('422' in responses)) faults.push('no answer 400')
  if (!Object.keys(responses).some(status => status.startsWith('2') || status === '409')) faults.push('no success')
  return faults
}

function mediaOf({ requestBody, responses }: Operation): [where: string, media: Media][] {
  return [
    ...readableOf(requestBody?.content).map((media): [string, Media] => ['body', media]),
    ...Object.entries(responses).flatMap(([status, { content }]) =>
      readableOf(content).map((media): [string, Media] => [status, media]),
    ),
  ]
}

/** The bytes of an image have no example that says anything. */
function readableOf(content: Readonly<Record<string, Media>> = {}): Media[] {
  return Object.entries(content).flatMap(([type, media]) => (type.startsWith('image/') ? [] : [media]))
}

function exampleFaults(reference: ApiReference, { schema, example, examples }: Media): string[] {
  if (schema === undefined) return ['no schema']
  const find = (ref: string) => reference.components?.schemas?.[ref.split('/').at(-1) ?? '']
  const shared = reference.components?.examples ?? {}
  const values = Object.values(examples ?? {}).map(each =>
    each.$ref === undefined ? each.value : shared[each.$ref.split('/').at(-1) ?? '']?.value,
  )
  if (example !== undefined) values.push(example)
  if (values.length === 0) {
    return buildExample(schema, find).missing.map(
      pointer => `${pointer || 'the whole'} has neither \`examples\` nor a default`,
    )
  }
  const ajv = addFormats.default(new Ajv({ strict: false, allErrors: true }))
  const validate = ajv.compile({ ...schema, components: reference.components })
  return values.flatMap(value =>
    validate(value) ? [] : [`its example is not valid: ${ajv.errorsText(validate.errors)}`],
  )
}
