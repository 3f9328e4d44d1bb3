/** Completes the API's document: an example of every body, answer and problem. */
import { type ProblemCode, problem } from '@signet/kernel'
import { buildExample, type JsonSchema } from './examples.ts'

interface Media {
  schema?: JsonSchema
  example?: unknown
  examples?: unknown
}
type Content = Record<string, Media>

export interface ApiDocument {
  components?: {
    schemas?: Record<string, JsonSchema>
    examples?: Record<string, object>
    securitySchemes?: Record<string, object>
  }
  paths?: Record<string, Record<string, Operation>>
}

interface Operation {
  security?: Record<string, string[]>[]
  requestBody?: { content?: Content }
  responses?: Record<string, { content?: Content }>
}

/** What a caller most often meets under a status. */
const usualProblems: Readonly<Record<string, ProblemCode>> = {
  400: 'invalid-input',
  401: 'session-ended',
  403: 'forbidden',
  404: 'route-not-found',
  409: 'concurrent-change',
  412: 'version-mismatch',
  413: 'body-too-large',
  415: 'unsupported-media-type',
  422: 'idempotency-key-reused',
  428: 'version-required',
  429: 'too-many-requests',
  503: 'database-unavailable',
}

export function addExamples(document: ApiDocument): void {
  const shared: Record<string, object> = {}
  for (const operation of Object.values(document.paths ?? {}).flatMap(methods => Object.values(methods))) {
    addOfContent(document, operation.requestBody?.content)
    for (const [status, { content }] of Object.entries(operation.responses ?? {})) {
      const problems = content?.['application/problem+json']
      const code = usualProblems[status]
      if (problems !== undefined && code !== undefined && problems.examples === undefined) {
        shared[code] = exampleOfProblem(code)
        problems.examples = { [code]: { $ref: `#/components/examples/${code}` } }
      }
      addOfContent(document, content)
    }
  }
  document.components = { ...document.components, examples: { ...document.components?.examples, ...shared } }
}

function addOfContent({ components }: ApiDocument, content: Content = {}): void {
  for (const media of Object.values(content)) {
    if (media.schema === undefined || media.example !== undefined || media.examples !== undefined) continue
    const { value, missing } = buildExample(media.schema, ref => components?.schemas?.[ref.split('/').at(-1) ?? ''])
    if (missing.length === 0) media.example = value
  }
}

function exampleOfProblem(code: ProblemCode): object {
  const errors = code === 'invalid-input' ? { errors: [{ pointer: '/name', message: 'is required' }] } : {}
  const { title, ...rest } = problem(code, undefined, errors).toDocument()
  return {
    summary: title,
    value: { ...rest, title, instance: 'urn:uuid:0199a3c4-7d2e-4b61-9f0a-3c5d8e1f2a4b' },
  }
}
