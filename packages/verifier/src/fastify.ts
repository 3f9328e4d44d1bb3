// Every route says who may call it, in `config.access`. One that says nothing stops the boot, and what no hook has seen
// is refused: a route can be forgotten, but not left open.

import type { FastifyInstance, FastifyPluginAsync, FastifyReply, FastifyRequest, RouteOptions } from 'fastify'
import type { Rule } from './adapters/access.ts'
import type { Answer } from './adapters/answer.ts'
import { createGate, type Gate, type GuardOptions } from './adapters/gate.ts'
import { defaultNamespace, principalOf } from './adapters/principals.ts'
import { describeResource, type ProtectedResource } from './adapters/protected-resource.ts'
import { AuthError } from './errors.ts'
import { type Access, assertRoutes, readRule } from './fastify/access.ts'
import { describeSecurity } from './fastify/openapi.ts'
import type { Principal } from './principal.ts'

export { findPrincipal, principalOf } from './adapters/principals.ts'
export { type ProtectedResource, protectedResourceMetadata } from './adapters/protected-resource.ts'
export type { Access } from './fastify/access.ts'

export interface SignetOptions extends GuardOptions {
  /**
   * Asked before the token of every guarded route: true lets the request pass without one, by something else that it shows.
   * It has no principal then.
   */
  readonly alternative?: (request: FastifyRequest) => Promise<boolean>
  /**
   * The name that the document of @fastify/swagger gives to the tokens of this verifier, in `components.securitySchemes`. Then
   * each route's `schema.security` is filled in, unless the route has one of its own. Without it nothing is: @fastify/swagger
   * cannot describe a scheme that it was not told of.
   */
  readonly securityScheme?: string
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

/** A verifier of the server. */
interface Entry {
  readonly gate: Gate
  readonly alternative: SignetOptions['alternative']
  readonly securityScheme: string | undefined
}

const ownOptions = ['alternative', 'securityScheme']
// What Fastify itself reads of the options of any plugin.
const registerOptions = ['prefix', 'logLevel', 'logSerializers']

/** The verifiers of each guarded server, by their namespaces. */
const servers = new WeakMap<FastifyInstance, Map<string, Entry>>()

/**
 * Guards every route of the server it is registered on, before bodies are parsed. Register it before the first route:
 * `await app.register(signet, { verifier })`. Refusals are answered as `application/problem+json`. Register it again, with a
 * namespace, for another verifier.
 */
export const signet: FastifyPluginAsync<SignetOptions> = async (app, options) => {
  const gate = createGate(options, [...ownOptions, ...registerOptions])
  const { namespace, resourceMetadata } = gate
  const { alternative, securityScheme } = options
  const entries = servers.get(app) ?? guardServer(app, gate)
  if (entries.has(namespace)) throw new Error(`signet is registered twice with the namespace ${namespace}`)
  if (app.hasRequestDecorator(namespace))
    throw new TypeError(`The name ${namespace} is taken: choose another namespace`)
  app.decorateRequest(namespace, {
    getter() {
      return principalOf(this, namespace)
    },
  })
  // Verifiers of one resource share its document.
  const isServed = Array.from(entries.values()).some(other => other.gate.resourceMetadata === resourceMetadata)
  entries.set(namespace, { gate, alternative, securityScheme })
  if (resourceMetadata !== undefined && !isServed) serveMetadata(app, resourceMetadata)
}

// Without its own scope, or it would guard nothing but itself: what fastify-plugin does.
Object.assign(signet, { [Symbol.for('skip-override')]: true, [Symbol.for('fastify.display-name')]: '@signet/verifier' })

/** All verifiers of one server stand behind these hooks, so that a route has one answer to who may call it. */
function guardServer(app: FastifyInstance, first: Gate): Map<string, Entry> {
  assertNoGuardAbove(app)
  assertNoRoutesYet(app)
  const entries = new Map<string, Entry>()
  servers.set(app, entries)

  // Looked at when all hooks have run: a scope may give the routes of a foreign plugin their access in a hook of its own.
  const routes: RouteOptions[] = []
  app.addHook('onRoute', route => {
    routes.push(route)
  })
  app.addHook('onReady', async () => {
    const all = routes.splice(0)
    assertRoutes(all, entries)
    if (Array.from(entries.values()).every(entry => entry.securityScheme === undefined)) return
    for (const route of all) describeSecurity(route, namespace => entries.get(namespace)?.securityScheme)
  })

  // First of all hooks, so that nobody unknown makes us read a body.
  app.addHook('onRequest', async (request, reply) => {
    const access = request.routeOptions.config.access
    // Nothing stands at an unknown address, so that there is nothing to guard.
    if (access === 'public' || request.is404) return
    const entry = access && entries.get(access.namespace ?? defaultNamespace)
    try {
      if (access === undefined || entry === undefined)
        throw new AuthError('forbidden', 'This route does not say who may call it.')
      await admit(request, readRule(access), entry)
    } catch (error) {
      if (!(error instanceof AuthError)) throw error
      // oxlint-disable-next-line typescript/consistent-return -- an async hook that has answered returns the reply
      return send(reply, (entry?.gate ?? first).refuse(error, request.id))
    }
  })
  return entries
}

async function admit(request: FastifyRequest, rule: Rule, { gate, alternative }: Entry): Promise<void> {
  if (alternative !== undefined && (await alternative(request))) return
  const { headers, raw } = request
  await gate.authenticate(rule, { carrier: request, headers, rawHeaders: raw.rawHeaders })
}

function serveMetadata(app: FastifyInstance, resource: ProtectedResource): void {
  if (app.prefix !== '') throw new Error('Register signet without a prefix: resourceMetadata has its own address')
  const answer = describeResource(resource)
  // A colon begins a parameter, two are one.
  const path = resource.path.replaceAll(':', '::')
  // Read by @fastify/swagger, whose types may not be there.
  const schema: object = { hide: true }
  app.get(path, { config: { access: 'public' }, schema }, async (_, reply) => send(reply, answer))
}

function send(reply: FastifyReply, { status, headers, body }: Answer): FastifyReply {
  return reply.code(status).headers(headers).send(body)
}

// The hooks above run first, and know nothing of the verifiers below.
function assertNoGuardAbove(app: FastifyInstance): void {
  for (let above = Object.getPrototypeOf(app); above !== null; above = Object.getPrototypeOf(above)) {
    if (servers.has(above))
      throw new Error('Register all verifiers where the first one is: a scope has none of its own')
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
