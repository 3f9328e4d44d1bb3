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
    if (problem.code !== 'invalid-input' && problem.code !== 'malformed-body') return { detail, ...rest }
    reply.code(422)
    const faults = (problem.errors ?? [{ pointer: '', message: problem.detail }]).map(({ pointer, message }) => {
      const loc = locate(pointer, request.params as object)
      return { loc, msg: message, type: message.startsWith('is required') ? 'missing' : 'value_error' }
    })
    return { detail: faults, ...rest }
  })
}

/** `/name` points into the body, `?name` to what stands in the address. */
function locate(pointer: string, params: object): string[] {
  if (!pointer.startsWith('?')) return ['body', ...pointer.split('/').slice(1)]
  const name = pointer.slice(1)
  return [Object.hasOwn(params, name) ? 'path' : 'query', name]
}
