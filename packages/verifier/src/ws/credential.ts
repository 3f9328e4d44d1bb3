// Where a handshake carries its token: the Authorization header, for browsers (which cannot set it) the subprotocols, or
// the verifier's cookie. Never the URL, which ends up in logs and histories (RFC 6750 section 5.3).

import type { IncomingMessage } from 'node:http'
import { AuthError } from '../errors.ts'

/** What a browser offers before its token, `new WebSocket(url, ['signet.bearer', token])`, and what it gets back. */
const bearerProtocol = 'signet.bearer'
const protocolHeader = 'sec-websocket-protocol'

/** Headers for `verifier.authenticate`, with one credential at most. */
export interface Credential {
  readonly headers: Readonly<Record<string, string>>
  /** A cookie comes along by itself, so that its origin has to be looked at. */
  readonly isCookie: boolean
}

/**
 * Takes the token out of the request: nobody after the guard (the application, its log, the answer that names a
 * subprotocol) sees it among the protocols. Throws `malformed` where two tokens could be meant.
 */
export function takeCredential(request: IncomingMessage): Credential {
  const offered = takeOfferedToken(request)
  const authorization = readAuthorization(request)
  // A browser may send Basic credentials of the site by itself: only a bearer token competes with the one offered.
  const bearer = authorization !== undefined && /^bearer(?: |$)/i.test(authorization) ? authorization : undefined
  if (offered !== undefined) {
    if (bearer !== undefined) throw new AuthError('malformed', 'The handshake carries two tokens.')
    return { headers: { authorization: `Bearer ${offered}` }, isCookie: false }
  }
  if (bearer !== undefined) return { headers: { authorization: bearer }, isCookie: false }
  const { cookie } = request.headers
  return cookie === undefined ? { headers: {}, isCookie: false } : { headers: { cookie }, isCookie: true }
}

// Node keeps the first of several Authorization headers and drops the rest; a proxy before us may have read another.
function readAuthorization({ rawHeaders }: IncomingMessage): string | undefined {
  let found: string | undefined
  for (let index = 0; index < rawHeaders.length; index += 2) {
    if (rawHeaders[index]?.toLowerCase() !== 'authorization') continue
    if (found !== undefined) throw new AuthError('malformed', 'The header authorization is repeated.')
    found = rawHeaders[index + 1]
  }
  return found
}

function takeOfferedToken(request: IncomingMessage): string | undefined {
  const header = request.headers[protocolHeader]
  if (header === undefined) return undefined
  const protocols = header.split(',').map(item => item.trim())
  const marker = protocols.indexOf(bearerProtocol)
  if (marker < 0) return undefined
  const [token] = protocols.splice(marker + 1, 1)
  replaceProtocols(request, protocols.join(', '))
  if (protocols.includes(bearerProtocol, marker + 1) || token === bearerProtocol)
    throw new AuthError('malformed', `The subprotocol ${bearerProtocol} is repeated.`)
  if (token === undefined || token === '') throw new AuthError('missing_token')
  return token
}

function replaceProtocols(request: IncomingMessage, protocols: string): void {
  request.headers[protocolHeader] = protocols
  const { rawHeaders } = request
  let replaced = false
  for (let index = 0; index < rawHeaders.length; index += 2) {
    if (rawHeaders[index]?.toLowerCase() !== protocolHeader) continue
    // Several header lines mean one list (RFC 6455 section 11.3.4), which now stands in the first of them.
    rawHeaders[index + 1] = replaced ? '' : protocols
    replaced = true
  }
}
