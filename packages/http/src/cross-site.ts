/**
 * A browser sends cookies also with what another site makes it send. A request that changes something and is known by its
 * cookies, or wants to be, is refused where the browser says that another site sent it, but for sites that are listed; a caller that says nothing is no
 * browser (OWASP, cross-site request forgery, fetch metadata). A bearer token is set by the caller alone.
 */
import { type Problem, problem } from '@signet/kernel'
import type { FastifyRequest } from 'fastify'
import type { App } from './server.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The answer signs a browser in by cookies, whatever the body says. */
    setsCookies?: true
  }
}

export interface OwnSite {
  /** Where browsers find us, e.g. `https://id.example.com`. Never taken from `Host`, which the caller writes. */
  readonly url: string
  /** Other addresses of ours, e.g. that of a gateway before us. */
  readonly alsoAt?: readonly string[]
  /** Origins of pages that may do what ours may: those that CORS lists. */
  readonly allowedOrigins?: readonly string[] | undefined
  /** The names of the cookies by which a person is known. */
  readonly cookies: readonly string[]
  /** The domain that the cookies are sent to: its hosts are ours. */
  readonly cookieDomain: string | undefined
}

const safeMethods = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE'])
const ownSites = new Set(['same-origin', 'same-site', 'none'])
/** More of what a caller claims to be is no help in the log. */
const longestLogged = 100

/** Answers 403 `cross-site-request`. Call it before the routes. */
export function refuseCrossSite(app: App, own: OwnSite): void {
  const ownOrigins = [own.url, ...(own.alsoAt ?? [])].map(url => new URL(url).origin)
  app.addHook('onRequest', (request, _reply, done) => {
    const isKnownByCookie =
      !safeMethods.has(request.method) && !hasBearer(request) && carriesCookie(request.headers.cookie, own.cookies)
    done(isKnownByCookie ? refusalOf(request) : undefined)
  })
  app.addHook('preValidation', (request, _reply, done) => {
    const { setsCookies } = request.routeOptions.config
    const getsCookies = !safeMethods.has(request.method) && (setsCookies || wantsCookies(request.body))
    done(getsCookies ? refusalOf(request) : undefined)
  })

  /** Nothing for what came from a site of ours. */
  function refusalOf(request: FastifyRequest): Problem | undefined {
    const { origin, 'sec-fetch-site': site } = request.headers
    if (origin !== undefined && own.allowedOrigins?.includes(origin) === true) return undefined
    if (site === undefined ? origin === undefined || isOwnOrigin(origin) : ownSites.has(site)) return undefined
    const claims = { site: site?.slice(0, longestLogged), origin: origin?.slice(0, longestLogged) }
    request.log.info(claims, 'refused what another site sent')
    return problem('cross-site-request')
  }

  function isOwnOrigin(origin: string): boolean {
    if (ownOrigins.includes(origin)) return true
    if (own.cookieDomain === undefined || !URL.canParse(origin)) return false
    const { protocol, hostname } = new URL(origin)
    return protocol === 'https:' && (hostname === own.cookieDomain || hostname.endsWith(`.${own.cookieDomain}`))
  }
}

/** Does the request show its token itself? What has another scheme is no token: then the cookies speak. */
export function hasBearer({ headers }: Pick<FastifyRequest, 'headers'>): boolean {
  return /^bearer( |$)/i.test(headers.authorization ?? '')
}

function carriesCookie(header: string | undefined, names: readonly string[]): boolean {
  return header?.split(';').some(pair => names.includes(pair.split('=', 1)[0]?.trim() ?? '')) === true
}

function wantsCookies(body: unknown): boolean {
  return typeof body === 'object' && body !== null && 'cookies' in body && body.cookies === true
}
