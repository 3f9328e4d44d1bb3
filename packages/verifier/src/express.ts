// Express 4 and 5, and whatever else takes a middleware of Node's request and response (Connect, Polka). What stands below
// `app.use(guard())` is closed to everybody without a token; what stands above it is open.

import type { IncomingMessage, ServerResponse } from 'node:http'
import type { GuardOptions } from './adapters/gate.ts'
import { createGuard, type Guard } from './adapters/guard.ts'
import { sendAnswer } from './adapters/node-response.ts'
import { showPrincipal } from './adapters/principals.ts'
import type { Principal } from './principal.ts'

export type { Access } from './adapters/access.ts'
export type { GuardOptions } from './adapters/gate.ts'
export { findPrincipal, principalOf } from './adapters/principals.ts'
export { type ProtectedResource, protectedResourceMetadata } from './adapters/protected-resource.ts'

declare global {
  // Where the types of Express want additions to its request.
  namespace Express {
    interface Request {
      /** Whom the token speaks for. Behind a guard that let somebody pass without a token, reading it throws. */
      readonly principal: Principal
    }
  }
}

/** Without types of Express, so that a handler beside it keeps the parameters that are read from its own path. */
export type Middleware = (
  request: IncomingMessage & { readonly originalUrl?: string },
  response: ServerResponse,
  next: (error?: unknown) => void,
) => void

/**
 * `const guard = signet({ verifier })`, then `app.use(guard())` for all that follows, and
 * `app.get('/places', guard({ permissions: ['places:read'] }), …)` for one route.
 */
export function signet(options: GuardOptions): Guard<Middleware> {
  return createGuard<Middleware>(options, (gate, rule) => async (request, response, next) => {
    const { headers, method = '', rawHeaders, originalUrl = request.url ?? '' } = request
    let answer
    try {
      showPrincipal(request, request, gate.namespace)
      answer = await gate.admit(rule, { carrier: request, method, target: originalUrl, headers, rawHeaders })
    } catch (error) {
      next(error)
      return
    }
    // Outside of the try: an error of a later handler is not ours.
    if (answer === undefined) next()
    else sendAnswer(response, answer)
  })
}
