import { createServer } from 'node:http'
import { findPrincipal, principalOf, signet } from '@signet/verifier/koa'
import type { Principal } from '@signet/verifier'
import Koa, { type Middleware } from 'koa'
import t from 'tap'
import { checkAdapter, listen } from './http-conformance.ts'

declare module 'koa' {
  interface DefaultState {
    readonly partner: Principal
  }
}

/** Koa has no router: this is one. */
function at(target: string, ...[guard, handler]: [Middleware, Middleware]): Middleware {
  const [method, path] = target.split(' ')
  return async (context, next) => {
    const asked = context.method === 'HEAD' ? 'GET' : context.method
    return asked === method && context.path === path ? guard(context, async () => handler(context, next)) : next()
  }
}

checkAdapter(t, 'Koa', async (t, { staff, partner, realm, resourceMetadata, broken }) => {
  const errors: unknown[] = []
  const app = new Koa()
  app.on('error', error => errors.push(error))
  const guard = signet({ verifier: staff, realm, resourceMetadata })
  const partnerGuard = signet({ verifier: partner, namespace: 'partner', realm })
  const respond = (read: (context: Koa.ParameterizedContext) => string): Middleware => {
    return context => {
      context.body = read(context)
    }
  }

  app.use(
    at(
      'GET /open',
      guard('public'),
      respond(() => 'open'),
    ),
  )
  app.use(
    at(
      'GET /mistake',
      guard('public'),
      respond(context => principalOf(context).subject),
    ),
  )
  app.use(
    at(
      'GET /maybe',
      guard({ optional: true }),
      respond(context => findPrincipal(context)?.subject ?? 'nobody'),
    ),
  )
  app.use(
    at(
      'GET /maybe-mistake',
      guard({ optional: true }),
      respond(context => context.state.principal.subject),
    ),
  )
  app.use(
    at(
      'GET /partner',
      partnerGuard({ permissions: ['orders:read'] }),
      respond(context => context.state.partner.subject),
    ),
  )

  app.use(guard())
  app.use(
    at(
      'GET /me',
      guard(),
      respond(context => context.state.principal.subject),
    ),
  )
  app.use(
    at(
      'GET /below',
      (_, next) => next(),
      respond(() => 'below'),
    ),
  )
  app.use(
    at(
      'GET /places',
      guard({ permissions: ['places:read'] }),
      respond(() => 'places'),
    ),
  )
  app.use(
    at(
      'GET /any',
      guard({ anyPermission: ['places:read', 'places:list'] }),
      respond(() => 'any'),
    ),
  )
  app.use(
    at('POST /places', guard({ permissions: ['places:create'] }), async context => {
      let body = ''
      for await (const chunk of context.req.setEncoding('utf8')) body += chunk
      context.body = `created ${JSON.parse(body).name}`
    }),
  )
  app.use(
    at('GET /broken', guard(), () => {
      throw broken
    }),
  )
  const handle = app.callback()
  return {
    port: await listen(
      t,
      createServer((request, response) => void handle(request, response)),
    ),
    errors,
  }
})
