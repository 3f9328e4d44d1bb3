// Every route says who may call it, in `config.access`. One that says nothing stops the boot, and what no hook has seen
// is refused: a route can be forgotten, but not left open.

import type { FastifyInstance, FastifyPluginAsync, FastifyReply, FastifyRequest, RouteOptions } from 'fastify'
import { AuthError } from './errors.ts'
import { assertNeed, type Need } from './need.ts'
import type { Principal } from './principal.ts'
import type { Verifier } from './verifier.ts'

/** `'public'`: anybody. Otherwise a valid token, and what the need asks for; `{}` asks for the token alone. */
export type Access = 'public' | Need

export interface SignetOptions {
  readonly verifier: Verifier
  /**
   * Asked before the token of every guarded route: true lets the request pass without one, by something else that it shows.
   * It has no principal then.
   */
  readonly alternative?: (request: FastifyRequest) => Promise<boolean>
}

declare module 'fastify' {
  interface FastifyContextConfig {
    access?: Access
  }
  interface FastifyRequest {
    /** Whom the token speaks for. Reading it on a public route is a programmer's mistake and throws. */
    readonly principal: Principal
  }
}

const uuid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i
// RFC 9110 section 10.2.3. Keys that cannot be fetched are tried again within seconds.
const retryAfterSeconds = 5

/**
 * Guards every route of the server it is registered on, before bodies are parsed. Register it before the first route:
 * `await app.register(signet, { verifier })`. Refusals are answered as `application/problem+json`.
 */
export const signet: FastifyPluginAsync<SignetOptions> = async (app, { verifier, alternative }) => {
  assertNoRoutesYet(app)
  const principals = new WeakMap<FastifyRequest, Principal>()

  app.decorateRequest('principal', {
    getter() {
      const principal = principals.get(this)
      if (principal === undefined)
        throw new Error('This request has no principal: its route is public, or it came without a token.')
      return principal
    },
  })

  // Looked at when all hooks have run: a scope may give the routes of a foreign plugin their access in a hook of its own.
  const routes: RouteOptions[] = []
  app.addHook('onRoute', route => {
    routes.push(route)
  })
  app.addHook('onReady', async () => {
    assertAccess(routes.splice(0))
  })

  // First of all hooks, so that nobody unknown makes us read a body.
  app.addHook('onRequest', async (request, reply) => {
    const needed = request.routeOptions.config.access
    // Nothing stands at an unknown address, so that there is nothing to guard.
    if (needed === 'public' || request.is404) return
    try {
      if (needed === undefined) throw new AuthError('forbidden', 'This route does not say who may call it.')
      if (alternative !== undefined && (await alternative(request))) return
      assertSingleAuthorization(request)
      principals.set(request, await verifier.authenticate(request.headers, needed))
    } catch (error) {
      if (!(error instanceof AuthError)) throw error
      // oxlint-disable-next-line typescript/consistent-return -- an async hook that has answered returns the reply
      return refuse(request, reply, error)
    }
  })
}

// Without its own scope, or it would guard nothing but itself: what fastify-plugin does.
Object.assign(signet, { [Symbol.for('skip-override')]: true, [Symbol.for('fastify.display-name')]: '@signet/verifier' })

function assertAccess(routes: readonly RouteOptions[]): void {
  const open: string[] = []
  for (const route of routes) {
    const name = `${String(route.method)} ${route.url}`
    const needed = route.config?.access
    if (needed === undefined) open.push(name)
    else if (needed !== 'public') assertRouteNeed(name, needed)
  }
  if (open.length === 0) return
  throw new Error(`These routes have no config.access, say 'public' or what a caller needs: ${open.join(', ')}`)
}

function assertRouteNeed(name: string, needed: Need): void {
  try {
    assertNeed(needed)
  } catch (error) {
    throw new TypeError(`config.access of the route ${name} is wrong: ${(error as Error).message}`, { cause: error })
  }
}

// Routes that exist before the hook are never seen by it. OPTIONS is left out because a CORS plugin must come first,
// and brings such a route; calling it without config.access is refused.
function assertNoRoutesYet(app: FastifyInstance): void {
  for (const method of app.supportedMethods) {
    if (method === 'OPTIONS') continue
    const routes = app.printRoutes({ method: method as 'GET', commonPrefix: false })
    if (routes === '(empty tree)') continue
    throw new Error(`Register signet, with await, before the first route. There are already:\n${routes}`)
  }
}

// Node keeps the first of several Authorization headers and drops the rest; a proxy before us may have read another.
function assertSingleAuthorization(request: FastifyRequest): void {
  const { rawHeaders } = request.raw
  let count = 0
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index]
    if (name?.length === 13 && name.toLowerCase() === 'authorization') count++
  }
  if (count > 1) throw new AuthError('malformed', 'The header authorization is repeated.')
}

function refuse(request: FastifyRequest, reply: FastifyReply, error: AuthError): FastifyReply {
  const problem = error.toProblem()
  if (error.status === 503) reply.header('retry-after', retryAfterSeconds)
  else reply.header('www-authenticate', error.wwwAuthenticate())
  return reply
    .code(error.status)
    .type('application/problem+json')
    .send(JSON.stringify(uuid.test(request.id) ? { ...problem, instance: `urn:uuid:${request.id}` } : problem))
}
