/**
 * Browsers that called an older system show who they are by the issuer's cookie. Nothing else here needs it: where no such system
 * is served, no cookie is read. Where one is, what another site makes a browser send changes nothing.
 */
import { type App, refuseCrossSite, type ServerOptions } from '@signet/http'
import type { ReplacedSystem } from '@signet/kernel'
import type { Deps } from '../deps.ts'

const systemsWithCookies: readonly ReplacedSystem[] = ['eng-identity', 'pm-identity-api']

/** The cookie that the verifier reads where no bearer is sent; false is none. */
export function accessCookie({ compat, cookies }: Pick<Deps, 'compat' | 'cookies'>): string | false {
  return systemsWithCookies.some(name => compat.has(name)) && `${cookies.prefix}access_token`
}

/** Call it before the routes. Behind one origin browsers find us where they find the issuer. */
export function refuseForeignPages(
  app: App,
  deps: Pick<Deps, 'compat' | 'cookies'> &
    Pick<ServerOptions, 'allowedOrigins'> & { readonly url: string; readonly issuerUrl: string | undefined },
): void {
  const cookie = accessCookie(deps)
  if (cookie === false) return
  const alsoAt = deps.issuerUrl === undefined ? [] : [deps.issuerUrl]
  const { url, allowedOrigins } = deps
  refuseCrossSite(app, { url, alsoAt, allowedOrigins, cookies: [cookie], cookieDomain: deps.cookies.domain })
}
