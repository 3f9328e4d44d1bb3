// Koa 2 and 3. What stands below `app.use(guard())` is closed to everybody without a token; what stands above it is open.

import type { ExtendableContext } from 'koa'
import type { GuardOptions } from './adapters/gate.ts'
import { createGuard, type Guard } from './adapters/guard.ts'
import { showPrincipal } from './adapters/principals.ts'
import type { Principal } from './principal.ts'

export type { Access } from './adapters/access.ts'
export type { GuardOptions } from './adapters/gate.ts'
export { findPrincipal, principalOf } from './adapters/principals.ts'
export { type ProtectedResource, protectedResourceMetadata } from './adapters/protected-resource.ts'

declare module 'koa' {
  interface DefaultState {
    /** Whom the token speaks for. Behind a guard that let somebody pass without a token, reading it throws. */
    readonly principal: Principal
  }
}

/** Whatever state and context the application has given types to. */
export type Middleware = (
  context: ExtendableContext & { readonly state: object },
  next: () => Promise<unknown>,
) => Promise<unknown>

/**
 * `const guard = signet({ verifier })`, then `app.use(guard())` for all that follows, and
 * `router.get('/places', guard({ permissions: ['places:read'] }), …)` for one route. The principal is
 * `context.state.principal`.
 */
export function signet(options: GuardOptions): Guard<Middleware> {
  return createGuard<Middleware>(options, (gate, rule) => async (context, next) => {
    const { headers, method, originalUrl, req } = context
    showPrincipal(context, context.state, gate.namespace)
    const answer = await gate.admit(rule, {
      carrier: context,
      method,
      target: originalUrl,
      headers,
      rawHeaders: req.rawHeaders,
    })
    if (answer === undefined) return next()
    context.status = answer.status
    context.body = answer.body
    // After the body, for which Koa guesses a type.
    context.set(answer.headers)
    return undefined
  })
}
