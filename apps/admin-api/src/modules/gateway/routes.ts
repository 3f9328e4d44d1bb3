import { createHash } from 'node:crypto'
import { type App, problemResponses } from '@signet/http'
import { Type } from 'typebox'
import { eitherCallerOf } from '../../wire/caller.ts'
import { GatewayMap } from './schema.ts'
import { type GatewayDeps, readGatewayMap } from './service.ts'

const IfNoneMatch = Type.Object({
  'if-none-match': Type.Optional(Type.String({ description: 'The ETag of the map that one has' })),
})

export function serveGateway(app: App, deps: GatewayDeps): void {
  app.get(
    '/gateway/routes',
    {
      config: { access: {}, serviceKey: 'or-bearer' },
      schema: {
        operationId: 'listGatewayRoutes',
        tags: ['Services'],
        summary: 'The map a gateway is configured from',
        description:
          'Every path that is answered behind one origin, by whom, and what it needs. The longest prefix comes first; the same ' +
          'registrations give the same map. Needs `gateway-routes:list` or a service key.',
        headers: IfNoneMatch,
        response: {
          200: GatewayMap,
          304: Type.Null({ description: 'Nothing has changed' }),
          ...problemResponses(401, 403, 503),
        },
      },
    },
    async (request, reply) => {
      const map = await readGatewayMap(deps, eitherCallerOf(request))
      const etag = `"${createHash('sha256').update(JSON.stringify(map)).digest('base64url').slice(0, 22)}"`
      reply.header('etag', etag).header('cache-control', 'private, no-cache')
      const known = request.headers['if-none-match']?.split(',').map(tag => tag.trim().replace(/^W\//, ''))
      return known?.some(tag => tag === etag || tag === '*') ? reply.code(304).send(null) : map
    },
  )
}
