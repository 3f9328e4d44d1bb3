// Hono, on every runtime it has. What stands below `app.use(guard())` is closed to everybody without a token; what stands
// above it is open.

import type { MiddlewareHandler } from 'hono'
import type { ContentfulStatusCode } from 'hono/utils/http-status'
import type { Access, Mandatory } from './adapters/access.ts'
import type { GuardOptions } from './adapters/gate.ts'
import { createGuard, type Guard } from './adapters/guard.ts'
import { findPrincipal } from './adapters/principals.ts'
import type { Principal } from './principal.ts'

export type { Access } from './adapters/access.ts'
export type { GuardOptions } from './adapters/gate.ts'
export { findPrincipal, principalOf } from './adapters/principals.ts'
export { type ProtectedResource, protectedResourceMetadata } from './adapters/protected-resource.ts'

/** For `new Hono<SignetEnv>()`, where a guard stands in front of all routes. */
export interface SignetEnv<Namespace extends string = 'principal', Found = Principal> {
  Variables: { [name in Namespace]: Found }
}

export interface HonoGuard<Namespace extends string = 'principal'> {
  /**
   * A middleware that lets in who meets the need; without one, whoever has a valid token. Handlers after it in the same call
   * know the principal as `c.var.principal`. Throws a TypeError for a need that could not mean what was intended.
   */
  (access?: Mandatory): MiddlewareHandler<SignetEnv<Namespace>>
  (access: 'public'): MiddlewareHandler
  /** Where there may be no principal, its type says so. */
  (access: Access): MiddlewareHandler<SignetEnv<Namespace, Principal | undefined>>
  /** A middleware that serves the metadata of `resourceMetadata` and nothing else. */
  metadata(): MiddlewareHandler
}

/**
 * `const guard = signet({ verifier })`, then `app.use(guard())` for all that follows, and
 * `app.get('/places', guard({ permissions: ['places:read'] }), …)` for one route.
 */
export function signet<const Namespace extends string = 'principal'>(
  options: GuardOptions<Namespace>,
): HonoGuard<Namespace> {
  const guard: Guard<MiddlewareHandler> = createGuard(options, (gate, rule) => async (context, next) => {
    const { method, path, raw } = context.req
    const answer = await gate.admit(rule, { carrier: context, method, target: path, headers: raw.headers })
    // By the context, so that headers which were set before, for CORS for instance, stay.
    if (answer !== undefined) return context.body(answer.body, answer.status as ContentfulStatusCode, answer.headers)
    context.set(gate.namespace, findPrincipal(context, gate.namespace))
    return next()
  })
  return guard as HonoGuard<Namespace>
}
