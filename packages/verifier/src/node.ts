// A guard around a handler of `node:http`. There are no routes here, so that nothing can be closed by default but what a guard
// is put around.

import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Access, Mandatory } from './adapters/access.ts'
import type { GuardOptions } from './adapters/gate.ts'
import { createGuard } from './adapters/guard.ts'
import { sendAnswer } from './adapters/node-response.ts'
import { showPrincipal } from './adapters/principals.ts'
import type { Principal } from './principal.ts'

export type { Access } from './adapters/access.ts'
export type { GuardOptions } from './adapters/gate.ts'
export { findPrincipal, principalOf } from './adapters/principals.ts'
export { type ProtectedResource, protectedResourceMetadata } from './adapters/protected-resource.ts'

export type Handler<Request = IncomingMessage> = (request: Request, response: ServerResponse) => unknown
/** Rejects with what the handler throws, as the handler itself would. */
export type GuardedHandler = (request: IncomingMessage, response: ServerResponse) => Promise<void>
export type GuardedRequest<Namespace extends string = 'principal'> = IncomingMessage & {
  /** Whom the token speaks for. */
  readonly [name in Namespace]: Principal
}

export interface NodeGuard<Namespace extends string = 'principal'> {
  /** A handler that lets in who meets the need. Throws a TypeError for a need that could not mean what was intended. */
  (access: Mandatory, handler: Handler<GuardedRequest<Namespace>>): GuardedHandler
  /** The same where there may be no principal: ask `findPrincipal`. */
  (access: Access, handler: Handler): GuardedHandler
  /** A handler that serves the metadata of `resourceMetadata`, and leaves the rest to the given one. */
  metadata(handler: Handler): GuardedHandler
}

/** `const guard = signet({ verifier })`, then `createServer(guard({ permissions: ['places:read'] }, handler))`. */
export function signet<const Namespace extends string = 'principal'>(
  options: GuardOptions<Namespace>,
): NodeGuard<Namespace> {
  const guard = createGuard(options, (gate, rule) => {
    return (handler: Handler): GuardedHandler =>
      async (request, response) => {
        const { headers, method = '', rawHeaders, url = '' } = request
        showPrincipal(request, request, gate.namespace)
        const answer = await gate.admit(rule, { carrier: request, method, target: url, headers, rawHeaders })
        if (answer === undefined) await handler(request, response)
        else sendAnswer(response, answer)
      }
  })
  return Object.assign((access: Access, handler: unknown) => guard(access)(assertHandler(handler)), {
    metadata: (handler: Handler) => guard.metadata()(assertHandler(handler)),
  })
}

function assertHandler(handler: unknown): Handler {
  if (typeof handler !== 'function')
    throw new TypeError('The guard is called with a need and the handler: guard({}, handler)')
  return handler as Handler
}
