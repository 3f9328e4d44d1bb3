// How a WebSocket learns that it may not go on. RFC 6455 section 7.4.2 leaves 4000 to 4999 to applications; 1013 ("try
// again later") stands in IANA's registry of close codes.

import type { Duplex } from 'node:stream'
import type { AuthError } from '../errors.ts'

/** A WebSocket of the server's side, as `ws` makes them. */
export interface ClosableSocket {
  close(code: number, reason: string): void
  removeAllListeners?(event: string): unknown
}

const closeCodes = { 401: 4401, 403: 4403, 503: 1013 } as const
// For the client's own close frame. `ws` would wait for 30 seconds, with the connection of somebody who may not have one.
const graceMs = 1_000

/** Closes with a code and the reason. From this moment on the application hears nothing of it any more but its close. */
export function closeConnection(webSocket: ClosableSocket, socket: Duplex, refusal: AuthError): void {
  webSocket.removeAllListeners?.('message')
  const grace = setTimeout(() => socket.destroy(), graceMs).unref()
  socket.once('close', () => clearTimeout(grace))
  webSocket.close(closeCodes[refusal.status], refusal.reason)
}
