import { type App, problemResponses } from '@signet/http'
import { problem } from '@signet/kernel'
import { Type } from 'typebox'
import { acceptsGzip, matchesValidator } from '../../http-caching.ts'
import { StatusListAggregation, StatusListPath, StatusListToken } from './schema.ts'
import { type StatusLists, ttlSeconds } from './service.ts'

const tags = ['Revocations and bundles']
const cacheControl = `public, max-age=${ttlSeconds}`

/** For whoever verifies tokens, browsers included: all of it is public and signed. */
export function serveStatusLists(app: App, lists: StatusLists): void {
  app.get(
    '/status-lists',
    {
      config: { access: 'public', isVital: true },
      schema: {
        tags,
        operationId: 'listStatusLists',
        summary: 'The status lists that count',
        description:
          'Status list aggregation (draft-ietf-oauth-status-list section 9): what to fetch ahead of the first token.',
        response: { 200: StatusListAggregation, ...problemResponses(503) },
      },
    },
    async (_request, reply) => {
      const uris = await lists.listUris()
      reply.header('cache-control', cacheControl).header('access-control-allow-origin', '*')
      return { status_lists: [...uris] }
    },
  )
  app.get(
    '/status-lists/:id',
    {
      config: { access: 'public', isVital: true },
      schema: {
        tags,
        operationId: 'readStatusList',
        summary: 'Which sessions have ended',
        description:
          'One bit a session, at the index that its tokens name. Signed anew when a bit, the key or ten minutes have changed; to be asked for again after `ttl` seconds.',
        params: StatusListPath,
        response: { 200: StatusListToken, 304: Type.Null(), ...problemResponses(400, 'status-list-not-found', 503) },
      },
    },
    async (request, reply) => {
      const found = await lists.find(Number(request.params.id))
      if (found === undefined) throw problem('status-list-not-found')
      const { headers } = request
      reply.headers({
        'cache-control': cacheControl,
        vary: 'accept-encoding',
        etag: found.etag,
        'access-control-allow-origin': '*',
        // The default is for the answers of an API; this one is for everybody.
        'cross-origin-resource-policy': 'cross-origin',
      })
      if (matchesValidator(headers['if-none-match'], found.etag)) return reply.code(304).send(null)
      reply.type('application/statuslist+jwt')
      if (!acceptsGzip(headers['accept-encoding'])) return reply.serializer(String).send(found.token)
      return reply.header('content-encoding', 'gzip').send(found.gzip)
    },
  )
}
