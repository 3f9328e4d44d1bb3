/** Older systems answer every failure with one member: `{ "detail": … }`, and faulty input with 422. */
import { type App, rewriteProblems } from '@signet/http'
import type { ProblemDocument } from '@signet/kernel'

interface Wording {
  /** What callers know a status by, in the place of our own words. */
  readonly words?: Readonly<Record<number, string>>
  /** Members beside `detail`. */
  readonly more?: (problem: ProblemDocument & { readonly detail: string }) => object
}

/** Rewrites every problem that the routes of this scope answer, also one of a hook before them. */
export function answerInDetail(scope: App, { words = {}, more = () => ({}) }: Wording = {}): void {
  rewriteProblems(scope, (problem, request, reply) => {
    const detail = words[problem.status] ?? problem.detail
    const rest = more({ ...problem, detail })
    if (problem.code !== 'invalid-input') return { detail, ...rest }
    reply.code(422)
    const faults = (problem.errors ?? []).map(({ pointer, message }) => {
      const name = pointer.slice(1)
      return { loc: [placeOf(pointer, request.params as object), name], msg: message, type: 'value_error' }
    })
    return { detail: faults, ...rest }
  })
}

/** Faults of a body are JSON pointers; those of path and query begin with a question mark. */
function placeOf(pointer: string, params: object): 'body' | 'path' | 'query' {
  if (!pointer.startsWith('?')) return 'body'
  return Object.hasOwn(params, pointer.slice(1)) ? 'path' : 'query'
}
