/** The failures that a route documents, each by its code, and what the document says of them. */
import { type ProblemCode, problem, problemCatalogue } from '@signet/kernel'

/** What a status means on every route. Those that mean something else on each (404, 409, 422) are documented by their codes alone. */
const usualProblems = {
  400: 'invalid-input',
  401: 'session-ended',
  403: 'forbidden',
  412: 'version-mismatch',
  413: 'body-too-large',
  415: 'unsupported-media-type',
  428: 'version-required',
  429: 'too-many-requests',
  503: 'database-unavailable',
} as const satisfies Record<number, ProblemCode>

/** Whatever a route does, it may be answered so: no route lists them, the document says them once. */
export const generalProblems: readonly ProblemCode[] = [
  'malformed-body',
  'password-change-required',
  'cross-site-request',
  'request-timeout',
  'body-too-large',
  'unsupported-media-type',
  'too-many-requests',
  'headers-too-large',
  'internal-error',
  'not-ready',
]

type Failure = keyof typeof usualProblems | ProblemCode
type StatusOf<F extends Failure> = F extends ProblemCode ? (typeof problemCatalogue)[F][0] : F

/** Where a media type keeps its codes until the document is completed. */
export const codesKeyword = 'x-problem-codes'

/** The `response` entries of the failures that a route documents. */
export function problemResponses<const F extends readonly Failure[]>(...failures: F) {
  const codes = failures.map((failure: Failure) => (typeof failure === 'number' ? usualProblems[failure] : failure))
  const byStatus = Object.groupBy(codes, code => problemCatalogue[code][0])
  return Object.fromEntries(
    Object.entries(byStatus).map(([status, own]) => [status, describeProblems([...new Set(own)])]),
  ) as Record<StatusOf<F[number]>, ReturnType<typeof describeProblems>>
}

function describeProblems(codes: readonly ProblemCode[]) {
  const meanings = codes.map(code => {
    const [, title, whatToDo] = problemCatalogue[code]
    return `\`${code}\`: ${title}. ${whatToDo}`
  })
  return {
    description: meanings.length === 1 ? meanings.join() : meanings.map(meaning => `- ${meaning}`).join('\n'),
    content: { 'application/problem+json': { schema: { $ref: 'Problem#' }, [codesKeyword]: codes } },
  }
}

/** As a caller receives it. */
export function exampleOfProblem(code: ProblemCode): object {
  const errors = code === 'invalid-input' ? { errors: [{ pointer: '/name', message: 'is required' }] } : {}
  const { title, ...rest } = problem(code, undefined, errors).toDocument()
  return {
    summary: title,
    value: { ...rest, title, instance: 'urn:uuid:0199a3c4-7d2e-4b61-9f0a-3c5d8e1f2a4b' },
  }
}
