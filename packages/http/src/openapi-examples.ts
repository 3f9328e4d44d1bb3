/** Completes the API's document: an example of every body, answer and problem. */
import type { ProblemCode } from '@signet/kernel'
import { buildExample, type JsonSchema } from './examples.ts'
import type { Parameter } from './openapi-parameters.ts'
import { codesKeyword, exampleOfProblem } from './problem-responses.ts'

interface Media {
  schema?: JsonSchema
  example?: unknown
  examples?: unknown
  [codesKeyword]?: readonly ProblemCode[]
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
  parameters?: Parameter[]
  security?: Record<string, string[]>[]
  requestBody?: { content?: Content }
  responses?: Record<string, { content?: Content }>
}

export function operationsOf({ paths = {} }: ApiDocument): Operation[] {
  return Object.values(paths).flatMap(methods => Object.values(methods))
}

export function addExamples(document: ApiDocument): void {
  const shared: Record<string, object> = {}
  for (const operation of operationsOf(document)) {
    addOfContent(document, operation.requestBody?.content)
    for (const { content } of Object.values(operation.responses ?? {})) {
      for (const media of Object.values(content ?? {})) {
        const codes = media[codesKeyword]
        if (codes === undefined) continue
        for (const code of codes) shared[code] = exampleOfProblem(code)
        media.examples = Object.fromEntries(codes.map(code => [code, { $ref: `#/components/examples/${code}` }]))
        delete media[codesKeyword]
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
