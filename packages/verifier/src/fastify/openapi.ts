// What a route asks of its callers stands in its schema too, where @fastify/swagger reads it: a document that says less than
// the guard does would be written twice, and be wrong.

import type { RouteOptions } from 'fastify'
import { type Access, readRule } from './access.ts'

type SecurityRequirement = Readonly<Record<string, readonly string[]>>

/**
 * Fills in `schema.security`, unless the route says something of its own. `schemeOf` gives the name of the security scheme of a namespace; undefined where none is to be described.
 */
export function describeSecurity(route: RouteOptions, schemeOf: (namespace: string) => string | undefined): void {
  const access = route.config?.access
  if (access === undefined || Object.hasOwn(route.schema ?? {}, 'security')) return
  const security = securityOf(access, schemeOf)
  if (security === undefined) return
  // @fastify/swagger gives it its type, where it is installed.
  const schema: object = { ...route.schema, security }
  route.schema = schema
}

/**
 * One of these. The permissions stand where OpenAPI 3.1 puts roles (section 4.8.30): a gateway, and the catalogue of
 * permissions, read them there. An optional route takes nothing as well, which is an empty requirement.
 */
function securityOf(
  access: Access,
  schemeOf: (namespace: string) => string | undefined,
): SecurityRequirement[] | undefined {
  if (access === 'public') return []
  const { namespace, need, optional } = readRule(access)
  const scheme = schemeOf(namespace)
  if (scheme === undefined) return undefined
  const { permissions = [], anyPermission } = need
  const alternatives = anyPermission?.map(each => [...permissions, each]) ?? [[...permissions]]
  const requirements = alternatives.map(each => ({ [scheme]: each }))
  return optional ? [{}, ...requirements] : requirements
}
