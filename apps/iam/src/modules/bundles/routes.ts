import { type App, problemResponses, serviceKeyHolderOf } from '@signet/http'
import { problem, type TenantId } from '@signet/kernel'
import { Type } from 'typebox'
import type { Deps } from '../../deps.ts'
import { acceptsGzip, matchesValidator } from '../../http-caching.ts'
import { describeRequest } from '../../request-facts.ts'
import { findSelf } from '../sessions/index.ts'
import { BundlePath, BundleToken } from './schema.ts'
import { type Bundles, ttlSeconds } from './service.ts'

export function serveBundles(app: App, deps: Pick<Deps, 'database'>, bundles: Bundles): void {
  app.get(
    '/bundles/:tid',
    {
      config: { access: {}, serviceKey: 'or-bearer', isVital: true },
      schema: {
        tags: ['Revocations and bundles'],
        operationId: 'readBundle',
        summary: 'What the roles and policies of a tenant say',
        description:
          'Signed, so that a service decides without asking. For people of the tenant with their token, and for services with their key.',
        params: BundlePath,
        response: {
          200: BundleToken,
          304: Type.Null(),
          ...problemResponses(400, 401, 'password-change-required', 'tenant-not-found', 503),
        },
      },
    },
    async (request, reply) => {
      const tenantId = request.params.tid.toLowerCase() as TenantId
      if (serviceKeyHolderOf(request) === undefined) {
        const self = await findSelf(deps, request.principal, describeRequest(request))
        // The tenant of the token, and no other: what somebody else's says is nobody's business (THREATS T-02).
        if (self.tenantId !== tenantId) throw problem('tenant-not-found')
      }
      const found = await bundles.find(tenantId)
      if (found === undefined) throw problem('tenant-not-found')
      reply.headers({
        'cache-control': `private, max-age=${ttlSeconds}`,
        vary: 'accept-encoding',
        etag: found.etag,
      })
      if (matchesValidator(request.headers['if-none-match'], found.etag)) return reply.code(304).send(null)
      reply.type('application/jwt')
      if (!acceptsGzip(request.headers['accept-encoding'])) return reply.serializer(String).send(found.token)
      return reply.header('content-encoding', 'gzip').send(await found.compress())
    },
  )
}
