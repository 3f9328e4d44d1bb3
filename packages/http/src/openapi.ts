/** The document is made of the routes' own schemas; each route's security is filled in by the verifier's plugin. */
import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import type { Access } from '@signet/verifier/fastify'
import type { FastifyContextConfig, FastifySchema } from 'fastify'
import { addExamples, type ApiDocument, operationsOf } from './openapi-examples.ts'
import { completeParameters } from './openapi-parameters.ts'
import { generalProblems } from './problem-responses.ts'
import type { App } from './server.ts'

export interface ApiDescription {
  readonly title: string
  readonly version: string
  readonly description: string
  readonly serverUrl: string
  readonly tags: readonly { readonly name: string; readonly description: string }[]
}

const everybody: Access = 'public'

const securitySchemes = {
  bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' },
  serviceKey: { type: 'apiKey', in: 'header', name: 'x-api-key' },
} as const

const onFailures = `**What fails** is \`application/problem+json\` (RFC 9457): \`code\` says which problem it is and never changes, \`detail\` what to do. An operation lists its own codes. Any of them may also answer ${generalProblems.map(code => `\`${code}\``).join(', ')}; a token that is refused has a code of \`@signet/verifier\`, such as \`expired\`.`

/**
 * Serves `/docs` and `/openapi.json`. Call it before the routes are registered, and after the verifier's plugin, whose
 * `securityScheme` is `bearer`.
 */
export async function describeApi(app: App, api: ApiDescription): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: api.title,
        version: api.version,
        description: `${api.description}\n\n${onFailures}`,
        license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      },
      servers: [{ url: api.serverUrl }],
      tags: [...api.tags],
      components: { securitySchemes },
    },
    // The shared schemas keep their names: by default they would be def-0, def-1 and so on.
    refResolver: {
      buildLocalReference: (schema, _base, _fragment, index) =>
        typeof schema.$id === 'string' ? schema.$id : `def-${index}`,
    },
    transform: ({ schema, url, route }) => ({ schema: addServiceKey(schema, route.config), url }),
    transformObject: found => {
      const document = 'openapiObject' in found ? found.openapiObject : found.swaggerObject
      addExamples(document as ApiDocument)
      for (const { parameters } of operationsOf(document as ApiDocument)) completeParameters(parameters)
      dropUnusedSchemes(document as ApiDocument)
      return document
    },
  })
  await app.register(async scope => {
    scope.addHook('onRoute', route => {
      route.config = { ...route.config, access: everybody }
    })
    await scope.register(swaggerUi, {
      routePrefix: '/docs',
      staticCSP: true,
      uiConfig: { docExpansion: 'none', layout: 'BaseLayout', persistAuthorization: true },
    })
    scope.get('/openapi.json', { schema: { hide: true } }, async () => scope.swagger())
  })
}

/** What no route asks for is not in the document. */
function dropUnusedSchemes(document: ApiDocument): void {
  const used = new Set(
    operationsOf(document).flatMap(({ security = [] }) => security.flatMap(need => Object.keys(need))),
  )
  const schemes = Object.entries(securitySchemes).filter(([name]) => used.has(name))
  document.components = { ...document.components, securitySchemes: Object.fromEntries(schemes) }
}

/** The verifier's plugin has said what token a route takes. A key of another service stands in its place, or beside it. */
function addServiceKey(schema: FastifySchema, { serviceKey }: FastifyContextConfig = {}): FastifySchema {
  if (serviceKey === undefined) return schema
  const key = { serviceKey: [] }
  return { ...schema, security: serviceKey === true ? [key] : [...(schema.security ?? []), key] }
}
