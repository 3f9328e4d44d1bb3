/**
 * OAuth's endpoints speak another language than the rest: bodies are forms, and a failure is `{ error, error_description }`
 * (RFC 6749 section 5.2) whose words other people's clients know.
 */
import formbody from '@fastify/formbody'
import type { Problem } from '@signet/kernel'
import { noteProblem, setFailureHeaders, toProblem } from './problems.ts'
import type { App } from './server.ts'

/** Makes a scope read nothing but forms and answer failures in OAuth's form. Call it before its routes. */
export async function speakOAuth(scope: App): Promise<void> {
  await readForms(scope)
  scope.setErrorHandler((error, request, reply) => {
    const found = toProblem(error)
    noteProblem(found, error, request)
    const [status, name] = nameOf(found)
    setFailureHeaders(found, reply)
    return reply
      .code(status)
      .type('application/json')
      .send({ error: name, error_description: describe(found) })
  })
}

/** Makes a scope read nothing but forms. Call it before its routes. */
export async function readForms(scope: App): Promise<void> {
  scope.removeAllContentTypeParsers()
  await scope.register(formbody)
}

/** Statuses that OAuth does not use are said with 400; how large and how often is said as everywhere. */
function nameOf({ status }: Problem): [status: number, error: string] {
  if (status === 401) return [status, 'invalid_client']
  if (status === 500) return [status, 'server_error']
  if (status === 429 || status === 503) return [status, 'temporarily_unavailable']
  return [status === 403 || status === 413 ? status : 400, 'invalid_request']
}

/** Printable ASCII without quotes and backslashes, as the RFC has it. */
function describe({ detail, errors = [], code }: Problem): string {
  const text = code === 'unsupported-media-type' ? 'Send Content-Type: application/x-www-form-urlencoded.' : detail
  const faults = errors.map(({ pointer, message }) => `${pointer.slice(1)} ${message}`)
  return (faults.length === 0 ? text : faults.join('; ')).replace(/[^ !#-[\]-~]/g, ' ')
}
