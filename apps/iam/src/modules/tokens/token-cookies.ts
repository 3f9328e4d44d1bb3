/** One session, two ways to hold it: tokens in the answer, or in cookies that no script can read. Never both. */
import type { CookieSettings, Deps } from '../../deps.ts'
import type { TokenAnswer } from './schema.ts'

/** What is needed of an HTTP reply. */
export interface Reply {
  header(name: string, value: string): unknown
  setCookie(name: string, value: string, options: CookieFlags & { maxAge: number }): unknown
  clearCookie(name: string, options: CookieFlags): unknown
}

type CookieFlags = ReturnType<typeof flagsOf>

/** What to answer; with `inCookies` the tokens go into cookies and out of the body. */
export function sendTokens(
  reply: Reply,
  { cookies }: Pick<Deps, 'cookies'>,
  answer: TokenAnswer,
  inCookies: boolean | undefined,
): TokenAnswer {
  reply.header('cache-control', 'no-store')
  if (inCookies !== true) return answer
  const { access_token: access = '', refresh_token: refresh = '', ...rest } = answer
  reply.setCookie(`${cookies.prefix}access_token`, access, { ...flagsOf(cookies), maxAge: answer.expires_in })
  reply.setCookie(`${cookies.prefix}refresh_token`, refresh, { ...flagsOf(cookies), maxAge: answer.refresh_expires_in })
  return rest
}

export function clearTokens(reply: Reply, { cookies }: Pick<Deps, 'cookies'>): void {
  for (const name of tokenCookies(cookies)) reply.clearCookie(name, flagsOf(cookies))
}

/** The names of both cookies. */
export function tokenCookies({ prefix }: CookieSettings): string[] {
  return [`${prefix}access_token`, `${prefix}refresh_token`]
}

function flagsOf({ secure, domain }: CookieSettings) {
  return { path: '/', httpOnly: true, sameSite: 'lax', secure, ...(domain === undefined ? {} : { domain }) } as const
}
