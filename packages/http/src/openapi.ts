/** The document is made of the routes' own schemas, and each route's security of its `config`. */
import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import type { Access } from '@signet/verifier/fastify'
import type { FastifyContextConfig } from 'fastify'
import type { App } from './server.ts'

export interface ApiDescription {
  readonly title: string
  readonly version: string
  readonly description: string
  readonly serverUrl: string
  readonly tags: readonly { readonly name: string; readonly description: string }[]
}

const everybody: Access = 'public'

/** Serves `/docs` and `/openapi.json`. Call it before the routes are registered. */
export async function describeApi(app: App, api: ApiDescription): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: api.title,
        version: api.version,
        description: api.description,
        license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      },
      servers: [{ url: api.serverUrl }],
      tags: [...api.tags],
      components: {
        securitySchemes: {
          bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' },
          serviceKey: { type: 'apiKey', in: 'header', name: 'x-api-key' },
        },
      },
    },
    // The shared schemas keep their names: by default they would be def-0, def-1 and so on.
    refResolver: {
      buildLocalReference: (schema, _base, _fragment, index) =>
        typeof schema.$id === 'string' ? schema.$id : `def-${index}`,
    },
    transform: ({ schema, url, route }) => {
      return { schema: { ...schema, security: securityOf(route.config) }, url }
    },
  })
  await app.register(async scope => {
    scope.addHook('onRoute', route => {
      route.config = { ...route.config, access: everybody }
    })
    await scope.register(swaggerUi, {
      routePrefix: '/docs',
      staticCSP: true,
      uiConfig: { docExpansion: 'list', persistAuthorization: true },
    })
    scope.get('/openapi.json', { schema: { hide: true } }, async () => scope.swagger())
  })
}

/**
 * What a caller shows, one of these. The permissions stand where OpenAPI 3.1 puts roles (section 4.8.30): a gateway, and the
 * catalogue of permissions, read them there.
 */
function securityOf({ access = {}, serviceKey }: FastifyContextConfig = {}): Record<string, string[]>[] {
  const key = { serviceKey: [] }
  if (serviceKey === true) return [key]
  if (access === 'public') return []
  const { permissions = [], anyPermission = [] } = access
  const bearers =
    anyPermission.length === 0
      ? [{ bearer: [...permissions] }]
      : anyPermission.map(each => ({ bearer: [...permissions, each] }))
  return serviceKey === undefined ? bearers : [...bearers, key]
}
