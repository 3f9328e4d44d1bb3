// A refused upgrade is answered as plain HTTP, so that clients, proxies and logs see a status and not a closed socket.

import { STATUS_CODES } from 'node:http'
import type { Duplex } from 'node:stream'
import type { AuthError } from '../errors.ts'

// RFC 9110 section 10.2.3. Keys that cannot be fetched are tried again within seconds.
const retryAfterSeconds = 5
// What a client may still send while it reads its answer is thrown away; it is gone when it hangs up, or after this.
const lingerMs = 1_000

/** Answers with the problem document of RFC 9457 and closes the connection. */
export function refuseUpgrade(socket: Duplex, error: AuthError): void {
  if (!socket.writable) {
    socket.destroy()
    return
  }
  const body = JSON.stringify(error.toProblem())
  const head = [
    `HTTP/1.1 ${error.status} ${STATUS_CODES[error.status]}`,
    'Content-Type: application/problem+json',
    `Content-Length: ${Buffer.byteLength(body)}`,
    error.status === 503 ? `Retry-After: ${retryAfterSeconds}` : `WWW-Authenticate: ${error.wwwAuthenticate()}`,
    'Connection: close',
  ]
  const linger = setTimeout(() => socket.destroy(), lingerMs).unref()
  socket.once('close', () => clearTimeout(linger))
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`)
  // Closing a socket with unread input resets it, and the reset may overtake the answer.
  socket.resume()
}
