// One token a request, from one place. Where two could be meant (a repeated header, a cookie set twice by a neighbouring
// host) the request is refused: picking one would let an attacker and a proxy pick different ones.

import { AuthError } from './errors.ts'

/** A web `Headers` object, or a record as Node's `request.headers`. */
export type RequestHeaders = Headers | Readonly<Record<string, string | readonly string[] | undefined>>

const scheme = 'bearer'

/**
 * The bearer token of RFC 6750 section 2.1, else the cookie of that name. Throws `missing_token` or `malformed`. A
 * credential of another scheme is no token.
 */
export function extractToken(headers: RequestHeaders, cookie: string | undefined): string {
  const authorization = readHeader(headers, 'authorization')
  const token =
    (authorization === undefined ? undefined : readBearer(authorization)) ??
    (cookie === undefined ? undefined : readCookie(readHeader(headers, 'cookie'), cookie))
  if (token === undefined) throw new AuthError('missing_token')
  return token
}

function readHeader(headers: RequestHeaders, name: string): string | undefined {
  if (isWebHeaders(headers)) return headers.get(name) ?? undefined
  const value = findInAnyCase(headers, name)
  if (value === undefined || typeof value === 'string') return value
  throw new AuthError('malformed', `The header ${name} is repeated.`)
}

function isWebHeaders(headers: RequestHeaders): headers is Headers {
  return typeof headers.get === 'function'
}

function findInAnyCase(
  headers: Exclude<RequestHeaders, Headers>,
  name: string,
): string | readonly string[] | undefined {
  const values: (string | readonly string[])[] = []
  for (const [key, value] of Object.entries(headers)) {
    if (value !== undefined && key.length === name.length && key.toLowerCase() === name) values.push(value)
  }
  return values.length > 1 ? values.flat() : values[0]
}

function readBearer(authorization: string): string | undefined {
  const end = scheme.length
  if (authorization.slice(0, end).toLowerCase() !== scheme) return undefined
  if (authorization.length > end && authorization[end] !== ' ') return undefined
  let start = end
  while (authorization[start] === ' ') start++
  return authorization.slice(start)
}

function readCookie(header: string | undefined, name: string): string | undefined {
  let found: string | undefined
  for (const pair of header?.split(';') ?? []) {
    const equals = pair.indexOf('=')
    if (equals < 0 || pair.slice(0, equals).trim() !== name) continue
    if (found !== undefined) throw new AuthError('malformed', 'The token cookie is repeated.')
    found = pair.slice(equals + 1).trim()
  }
  return found
}
