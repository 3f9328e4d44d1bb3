// Which credentials a request shows, where the framework has already tidied its headers up.

import type { RequestHeaders } from '../authenticate.ts'
import { AuthError } from '../errors.ts'

const name = 'authorization'

/**
 * Node keeps the first of several Authorization headers and drops the rest; a proxy before us may have read another. Takes
 * Node's `rawHeaders`: names and values in turn.
 */
export function assertSingleAuthorization(rawHeaders: readonly string[]): void {
  let count = 0
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const header = rawHeaders[index]
    if (header?.length === name.length && header.toLowerCase() === name) count++
  }
  if (count > 1) throw new AuthError('malformed', 'The header authorization is repeated.')
}

/**
 * Does the request try to be somebody by this header, whatever its scheme? Then an optional route does not serve it as nobody:
 * a token without the word Bearer before it would go unnoticed.
 */
export function hasAuthorization(headers: RequestHeaders): boolean {
  if (typeof headers.get === 'function') return (headers as Headers).has(name)
  return (headers as Readonly<Record<string, unknown>>)[name] !== undefined
}
