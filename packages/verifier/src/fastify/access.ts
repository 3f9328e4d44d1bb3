// The access of a route, and the errors that stop the boot.

import type { RouteOptions } from 'fastify'
import { type Access as SharedAccess, readAccess, type Requirement, type Rule } from '../adapters/access.ts'
import { defaultNamespace } from '../adapters/principals.ts'

/**
 * `'public'`: anybody. Otherwise a valid token, and what the need asks for; `{}` asks for the token alone. With a `namespace`,
 * the token is one for the verifier of that name.
 */
export type Access = 'public' | (Requirement & { readonly namespace?: string })

export interface RouteRule extends Rule {
  readonly namespace: string
}

// By the access itself, which a route's config keeps as it was given.
const known = new WeakMap<object, RouteRule>()

/** @throws TypeError for a need that could not mean what was intended */
export function readRule(access: Exclude<Access, 'public'>): RouteRule {
  const found = known.get(access)
  if (found !== undefined) return found
  const { namespace = defaultNamespace, ...requirement } = access
  if (typeof namespace !== 'string') throw new TypeError('namespace must be the name of a registered verifier')
  // What is not an object has been spread into none: it is read as it is.
  const rule = readAccess(typeof access === 'object' && !Array.isArray(access) ? requirement : (access as SharedAccess))
  const routeRule = { ...(rule as Rule), namespace }
  known.set(access, routeRule)
  return routeRule
}

/** @throws Error that names each route without an access; TypeError for an access that is wrong */
export function assertRoutes(routes: readonly RouteOptions[], namespaces: { has(name: string): boolean }): void {
  const open: string[] = []
  for (const route of routes) {
    const name = `${String(route.method)} ${route.url}`
    const access = route.config?.access
    if (access === undefined) open.push(name)
    else if (access !== 'public') assertRule(name, access, namespaces)
  }
  if (open.length === 0) return
  throw new Error(`These routes have no config.access, say 'public' or what a caller needs: ${open.join(', ')}`)
}

function assertRule(name: string, access: Exclude<Access, 'public'>, namespaces: { has(name: string): boolean }): void {
  try {
    const { namespace } = readRule(access)
    if (!namespaces.has(namespace)) throw new TypeError(`no verifier is registered with the namespace ${namespace}`)
  } catch (error) {
    throw new TypeError(`config.access of the route ${name} is wrong: ${(error as Error).message}`, { cause: error })
  }
}
