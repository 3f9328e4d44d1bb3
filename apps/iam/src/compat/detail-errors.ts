/** Older systems answer every failure with one member: `{ "detail": … }`, and faulty input with 422. */
import type { App } from '@signet/http'
import type { ProblemDocument } from '@signet/kernel'

/** Rewrites every problem that the routes of this scope answer, also one of a hook before them. */
export function answerInDetail(scope: App): void {
  scope.addHook('onSend', async (request, reply, payload) => {
    if (!String(reply.getHeader('content-type')).startsWith('application/problem+json')) return payload
    const { code, detail, errors } = JSON.parse(String(payload)) as ProblemDocument
    reply.type('application/json')
    if (code !== 'invalid-input') return JSON.stringify({ detail })
    reply.code(422)
    const faults = (errors ?? []).map(({ pointer, message }) => {
      const name = pointer.slice(1)
      const place = Object.hasOwn(request.params as object, name) ? 'path' : 'query'
      return { loc: [place, name], msg: message, type: 'value_error' }
    })
    return JSON.stringify({ detail: faults })
  })
}
