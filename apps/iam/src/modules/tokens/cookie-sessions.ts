/** The session of a browser, which holds its tokens in cookies: refreshed and ended for native routes and those of older systems. */
import { Problem, problem } from '@signet/kernel'
import type { Deps } from '../../deps.ts'
import { describeRequest } from '../../request-facts.ts'
import type { TokenAnswer } from './schema.ts'
import { refreshTokens, revokeTokens } from './service.ts'
import { clearTokens, type Reply, sendTokens, tokenCookies } from './token-cookies.ts'

type CookieRequest = Parameters<typeof describeRequest>[0] & {
  readonly cookies: Readonly<Record<string, string | undefined>>
}

/** @throws Problem as `refreshTokens` */
export async function refreshByCookie(deps: Deps, request: CookieRequest, reply: Reply): Promise<TokenAnswer> {
  const text = refreshTokenOf(deps, request)
  if (text === undefined) throw problem('invalid-refresh-token')
  try {
    return sendTokens(reply, deps, await refreshTokens(deps, text, describeRequest(request)), true)
  } catch (error) {
    // A cookie that will never be good again would be sent with every request until it expires.
    if (error instanceof Problem && error.status === 401) clearTokens(reply, deps)
    throw error
  }
}

/** Whatever the cookies hold, they are gone afterwards. */
export async function signOutByCookie(deps: Deps, request: CookieRequest, reply: Reply): Promise<void> {
  const text = refreshTokenOf(deps, request)
  if (text !== undefined) await revokeTokens(deps, text, describeRequest(request))
  // Nobody else's page can make a browser forget cookies that it does not send along.
  const hasCookies = tokenCookies(deps.cookies).some(name => request.cookies[name] !== undefined)
  if (hasCookies) clearTokens(reply, deps)
}

function refreshTokenOf({ cookies }: Pick<Deps, 'cookies'>, request: CookieRequest): string | undefined {
  return request.cookies[`${cookies.prefix}refresh_token`]
}
