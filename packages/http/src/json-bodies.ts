/**
 * Many clients say `content-type: application/json` with every request, also where they send nothing: without a body there
 * is nothing to read, so that says nothing either. A route that wants a body refuses an empty one.
 */
import { problem } from '@signet/kernel'
import type { FastifyInstance } from 'fastify'

export function readJsonBodies(app: FastifyInstance): void {
  const parse = app.getDefaultJsonParser('error', 'error')
  app.addContentTypeParser<string>('application/json', { parseAs: 'string' }, (request, body, done) => {
    if (body.length > 0) void parse(request, body, done)
    else if (request.routeOptions.schema?.body === undefined) done(null)
    else done(problem('malformed-body', 'The body is empty, and this route needs a JSON document.'))
  })
}
