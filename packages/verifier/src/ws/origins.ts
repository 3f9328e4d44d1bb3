// Browsers send cookies with a WebSocket handshake that any page of the world starts, and no same-origin policy applies
// to it: cross-site WebSocket hijacking. RFC 6455 section 10.2 leaves the Origin header as the one thing that tells such
// a page from ours.

import { AuthError } from '../errors.ts'

/** `undefined`: no list was given. */
export type Origins = ReadonlySet<string> | undefined

// RFC 6454 section 6.2, lower case as browsers write it: scheme, host, port where it is not the scheme's own.
const origin = /^[a-z][a-z0-9+.-]*:\/\/[^\s/?#@*,A-Z]+$/

/** Throws a TypeError for what no browser ever sends as an origin: a path, a wildcard, `null`, a default port. */
export function readOrigins(value: unknown): Origins {
  if (value === undefined) return undefined
  if (!Array.isArray(value) || value.length === 0)
    throw new TypeError('allowedOrigins must be a list of origins that is not empty')
  for (const item of value) {
    if (typeof item === 'string' && origin.test(item) && isCanonical(item)) continue
    throw new TypeError('allowedOrigins must hold origins as browsers send them, for example https://app.example.com')
  }
  return new Set<string>(value)
}

/** With a list, a page that is not on it may not connect, whatever it shows. */
export function assertOrigin(given: string | undefined, allowed: Origins): void {
  if (given === undefined || allowed === undefined || allowed.has(given)) return
  throw new AuthError('forbidden', 'This origin may not open a connection.')
}

/** A cookie proves who the person is, not that they asked for this: only a page on the list may use it. */
export function assertCookieOrigin(given: string | undefined, allowed: Origins): void {
  if (allowed === undefined)
    throw new AuthError('forbidden', 'A cookie opens no connection here, because no allowedOrigins are configured.')
  if (given === undefined || !allowed.has(given))
    throw new AuthError('forbidden', 'A cookie opens a connection from an allowed origin only.')
}

// Schemes of applications (capacitor://localhost) have no origin in the URL standard, and so no other spelling either.
function isCanonical(item: string): boolean {
  if (!/^https?:/.test(item)) return true
  return URL.canParse(item) && new URL(item).origin === item
}
