import { IdText, Moment, nullable, strictObject } from '@signet/http'
import { type Static, Type } from 'typebox'
import { listQuery, SearchText } from '../lists/index.ts'
import { PermissionCode } from '../permissions/index.ts'

/** No id, so that an address names a service by either; and none of ours. */
const namePattern =
  '^(?!(?:signet|iam|admin-api)$)(?![0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$)[a-z][a-z0-9-]{0,62}$'

const ServiceName = Type.String({
  pattern: namePattern,
  description: 'Never changes: its permissions are known by it. `signet`, `iam` and `admin-api` are ours.',
  examples: ['billing'],
})
export const isServiceName = (text: string): boolean => new RegExp(namePattern).test(text)

const Description = Type.String({ maxLength: 500, examples: ['Invoices and what is paid of them'] })
/** Plain enough for the configuration of any gateway: no credentials, no path, nothing to quote. */
const BaseUrl = Type.String({
  pattern: '^https?://(?:[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?|\\[[0-9a-fA-F:.]{2,45}\\])(?::[0-9]{1,5})?$',
  description: 'Where the gateway reaches it: scheme, host and port, without a path',
  examples: ['http://billing:5002'],
})
const HealthUrl = Type.String({
  maxLength: 500,
  pattern: '^https?://[A-Za-z0-9.\\[\\]:-]+(?:/[A-Za-z0-9._~/%-]*)?$',
  description: 'Where one asks whether it is well. Signet calls neither address.',
  examples: ['http://billing:5002/readyz'],
})

const Method = Type.Enum(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])
const AccessNeed = strictObject(
  {
    permissions: Type.Array(PermissionCode, {
      maxItems: 50,
      uniqueItems: true,
      description: 'All of them; none: whoever is signed in',
    }),
  },
  { description: 'A valid token that carries all of these permissions' },
)
/** The words of a path as it is when it has been decoded, and `{parameters}` in the place of some. */
export const pathPattern = '^(?!.*//)(?!.*/\\.{1,2}(?:/|$))/(?:[A-Za-z0-9._~@:+=,!*/-]|\\{[A-Za-z0-9_.-]{1,100}\\})*$'
const Route = strictObject({
  path: Type.String({ maxLength: 500, pattern: pathPattern, examples: ['/invoices/{id}'] }),
  methods: Type.Array(Method, { minItems: 1, uniqueItems: true, examples: [['GET', 'DELETE']] }),
  access: Type.Union([Type.Literal('public'), AccessNeed], { examples: [{ permissions: ['invoices:read'] }] }),
})
export const mostRoutes = 2_000

export const ServiceView = Type.Object({
  id: IdText,
  name: ServiceName,
  description: Description,
  base_url: BaseUrl,
  health_url: nullable(HealthUrl),
  routes: Type.Array(Route),
  created_at: Moment,
  updated_at: Moment,
})
export type ServiceView = Static<typeof ServiceView>

const Codes = (description: string) => Type.Array(PermissionCode, { description })
export const RegistrationView = Type.Object({
  ...ServiceView.properties,
  permissions: Type.Object(
    {
      added: Codes('New in the catalogue'),
      removed: Codes('No longer asked for, and held by nobody: taken out of the catalogue'),
      kept: Codes('No longer asked for, but roles hold them or policies name them: they stay until nobody does'),
    },
    { description: 'What the registration does to the catalogue of permissions' },
  ),
})
export type RegistrationView = Static<typeof RegistrationView>

export const ServiceQuery = listQuery(['name', 'created_at'], 'name', { q: SearchText })
export type ServiceQuery = Static<typeof ServiceQuery>

export const ServiceParams = strictObject({
  id: Type.String({ pattern: '^[0-9a-z][0-9a-z-]{0,62}$', description: 'Its id or its name', examples: ['billing'] }),
})

const registration = {
  description: Type.Optional(Description),
  base_url: BaseUrl,
  health_url: Type.Optional(nullable(HealthUrl)),
  routes: Type.Optional(
    Type.Array(Route, { maxItems: mostRoutes, description: 'What it answers; `openapi` says it as well' }),
  ),
  openapi: Type.Optional(
    Type.Object(
      {},
      {
        additionalProperties: true,
        description:
          'Its OpenAPI 3 document in the place of `routes`: paths, methods, and the permissions that each operation names ' +
          'in the scopes of its `security` or in `x-permissions`. `/health`, `/docs` and the like, which every program has, it does not claim',
      },
    ),
  ),
}
export const NewService = strictObject({ name: ServiceName, ...registration })
export type NewService = Static<typeof NewService>

export const Registration = strictObject(registration, {
  description: 'The whole registration: what is left out is taken away.',
})
export type Registration = Static<typeof Registration>

export const ServiceChange = strictObject(
  {
    description: Type.Optional(nullable(Description)),
    base_url: Type.Optional(BaseUrl),
    health_url: Type.Optional(nullable(HealthUrl)),
    routes: registration.routes,
    openapi: registration.openapi,
  },
  { minProperties: 1, description: 'A merge patch (RFC 7396).' },
)
export type ServiceChange = Static<typeof ServiceChange>

export const RegistrationQuery = strictObject({
  dry_run: Type.Boolean({ default: false, description: 'Say what it would do, and do nothing' }),
})
