/** Older systems answer every failure with one member: `{ "detail": … }`, and faulty input with 422. */
import type { App } from '@signet/http'
import type { ProblemDocument } from '@signet/kernel'

/** Rewrites every problem that the routes of this scope answer, also one of a hook before them. */
export function answerInDetail(scope: App): void {
  scope.addHook('onSend', async (request, reply, payload) => {
    if (!String(reply.getHeader('content-type')).startsWith('application/problem+json')) return payload
    const { code, detail, errors } = JSON.parse(String(payload)) as ProblemDocument
    reply.type('application/json')
    if (code !== 'invalid-input' && code !== 'malformed-body') return JSON.stringify({ detail })
    reply.code(422)
    const faults = (errors ?? [{ pointer: '', message: detail }]).map(({ pointer, message }) => {
      const loc = locate(pointer, request.params as object)
      return { loc, msg: message, type: message.startsWith('is required') ? 'missing' : 'value_error' }
    })
    return JSON.stringify({ detail: faults })
  })
}

/** `/name` points into the body, `?name` to what stands in the address. */
function locate(pointer: string, params: object): string[] {
  if (!pointer.startsWith('?')) return ['body', ...pointer.split('/').slice(1)]
  const name = pointer.slice(1)
  return [Object.hasOwn(params, name) ? 'path' : 'query', name]
}
