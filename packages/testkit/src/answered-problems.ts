/** Every failure that a test is answered stands in the API reference: under its operation, or among those of all operations. */
import { type App, generalProblems } from '@signet/http'
import { type ProblemCode, problemCatalogue } from '@signet/kernel'
import type { ApiReference } from './api-reference.ts'
import type { TestScope } from './database.ts'

/** What they mean differs from route to route: an operation names its codes. Those of the verifier are for all. */
const named: ReadonlySet<number> = new Set([403, 404, 409, 422])

interface Failure {
  readonly method: string
  readonly path: string
  readonly status: number
  readonly code: string
}

export function checkProblems(t: TestScope, app: App): void {
  app.addHook('onSend', async (request, reply, answer) => {
    const { url } = request.routeOptions
    if (url === undefined || !String(reply.getHeader('content-type')).startsWith('application/problem+json')) return
    const { code } = JSON.parse(String(answer)) as { code: string }
    const failure = { method: request.method, path: url.replace(/:(\w+)/g, '{$1}'), status: reply.statusCode, code }
    if (isDocumented(app.swagger() as unknown as ApiReference, failure)) return
    t.fail(`${failure.method} ${failure.path} answers ${failure.status} ${code}: its problemResponses have to name it`)
  })
}

function isDocumented({ paths }: ApiReference, { method, path, status, code }: Failure): boolean {
  const operation = paths[path]?.[method === 'HEAD' ? 'get' : method.toLowerCase()]
  if (operation === undefined || generalProblems.includes(code as ProblemCode)) return true
  const response = operation.responses[status]
  if (response === undefined || !named.has(status) || !Object.hasOwn(problemCatalogue, code))
    return response !== undefined
  return Object.hasOwn(response.content?.['application/problem+json']?.examples ?? {}, code)
}
