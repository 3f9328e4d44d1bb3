/**
 * Older callers show their token as the cookie `access_token`. Only routes that say so take it; all others take a bearer and
 * nothing else.
 */
import { hasBearer, type OwnSite, refuseCrossSite } from './cross-site.ts'
import type { App } from './server.ts'

const cookieName = 'access_token'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The token may come as the cookie of older callers. */
    takesCookie?: boolean
  }
}

/** Call it before the verifier's plugin: what it reads then is a bearer. A browser's cookie counts from our own site alone. */
export function readCookieTokens(app: App, own: Pick<OwnSite, 'url' | 'alsoAt'>): void {
  refuseCrossSite(app, { ...own, cookies: [cookieName], cookieDomain: undefined })
  app.addHook('onRequest', async request => {
    if (request.routeOptions.config.takesCookie !== true || hasBearer(request)) return
    const tokens = (request.headers.cookie ?? '').split(';').flatMap(pair => {
      const [name = '', ...value] = pair.split('=')
      return name.trim() === cookieName ? [value.join('=').trim()] : []
    })
    // Two of them, and a neighbouring host may have set one: then none counts (RFC 6265 section 8.6).
    if (tokens.length === 1) request.headers.authorization = `Bearer ${tokens[0]}`
  })
}
