// Nobody gets a WebSocket without a token that is good for it, and nobody keeps one for longer than that token is good.

import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { AuthError } from '../errors.ts'
import { assertNeed, type Need } from '../need.ts'
import type { Principal } from '../principal.ts'
import { type Admission, type Hold, type RecheckOptions, Rechecks, toRefusal } from '../rechecks.ts'
import type { Verifier } from '../verifier.ts'
import { type ClosableSocket, closeConnection } from './close-connection.ts'
import { takeCredential } from './credential.ts'
import { assertCookieOrigin, assertOrigin, readOrigins } from './origins.ts'
import { refuseUpgrade } from './refuse-upgrade.ts'

export type { ClosableSocket } from './close-connection.ts'

export interface WebSocketGuardOptions extends RecheckOptions {
  readonly verifier: Pick<Verifier, 'authenticate' | 'verify'>
  /** What a connection needs, when it is opened and as long as it is open; `{}` asks for a valid token alone. */
  readonly need: Need
  /**
   * The pages that may connect, as browsers write an origin: `https://app.example.com`. Without it no cookie opens a
   * connection, because browsers send cookies with handshakes that any page starts (cross-site WebSocket hijacking).
   */
  readonly allowedOrigins?: readonly string[]
  /** The longest that a handshake may wait for its token to be verified. Default 10,000. */
  readonly handshakeTimeoutMs?: number
}

/** A listener for the event `upgrade` of node:http and node:https. */
export type UpgradeListener = (request: IncomingMessage, socket: Duplex, head: Buffer) => void

/**
 * Makes a WebSocket of an upgrade that was let in, and says so by `opened`. What never calls it (a proxy, say) is given
 * no close codes: its raw socket is destroyed when its time is over.
 */
export type HandleUpgrade = (
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
  opened: (webSocket: ClosableSocket) => void,
) => void

/** A `WebSocketServer` of `ws`, made with `{ noServer: true }`. */
export interface UpgradingServer {
  readonly options?: { readonly noServer?: boolean | undefined }
  handleUpgrade(
    request: IncomingMessage,
    socket: Duplex,
    head: Buffer,
    opened: (webSocket: ClosableSocket) => void,
  ): void
  emit(event: 'connection', webSocket: ClosableSocket, request: IncomingMessage): unknown
}

export interface WebSocketGuard {
  /**
   * `server.on('upgrade', guard.upgrade(wss))`. Whoever may not connect gets 401, 403 or 503 with a problem document and
   * no WebSocket. Everybody else becomes a `connection` of the server.
   */
  upgrade(target: UpgradingServer | HandleUpgrade): UpgradeListener
  /** Whom a WebSocket (or its raw socket) speaks for. Throws for a socket that this guard has not let in. */
  principal(socket: object): Principal
  /**
   * Lets the connection go on by a fresh token of the same person in the same tenant. Rejects with an AuthError, and then
   * leaves everything as it was.
   */
  renew(socket: object, token: string): Promise<Principal>
  /** How many connections are open that this guard has let in. */
  readonly openConnections: number
}

const knownOptions = ['verifier', 'need', 'allowedOrigins', 'handshakeTimeoutMs', 'recheckEveryMs', 'now']
const maxHandshakeMs = 60_000
// Of all guards: whichever of them answers, the others would write into the midst of it.
const taken = new WeakSet<Duplex>()

/** Throws a TypeError for wrong or unknown options. */
export function guardWebSockets(options: WebSocketGuardOptions): WebSocketGuard {
  for (const name of Object.keys(options)) {
    if (!knownOptions.includes(name)) throw new TypeError(`options has no member ${name}`)
  }
  const { verifier, need, handshakeTimeoutMs = 10_000 } = options
  assertNeed(need)
  const origins = readOrigins(options.allowedOrigins)
  if (!Number.isSafeInteger(handshakeTimeoutMs) || handshakeTimeoutMs < 1 || handshakeTimeoutMs > maxHandshakeMs)
    throw new TypeError(`handshakeTimeoutMs must be a whole number of at least 1 and at most ${maxHandshakeMs}`)
  const rechecks = new Rechecks(options)
  const holds = new WeakMap<object, Hold>()

  async function admit(request: IncomingMessage): Promise<Admission> {
    const { headers, isCookie } = takeCredential(request)
    const { origin } = request.headers
    assertOrigin(origin, origins)
    const verify = () => verifier.authenticate(headers, need)
    const principal = await verify()
    if (isCookie) assertCookieOrigin(origin, origins)
    rechecks.assertLasting(principal)
    return { principal, verify }
  }

  async function open(request: IncomingMessage, socket: Duplex, head: Buffer, handle: HandleUpgrade): Promise<void> {
    // Node has taken its own listeners off: without one, a reset by the client would end the process.
    socket.on('error', () => socket.destroy())
    let admission: Admission
    try {
      admission = await limitTime(admit(request), handshakeTimeoutMs)
    } catch (error) {
      refuseUpgrade(socket, toRefusal(error))
      return
    }
    if (socket.destroyed) return
    let webSocket: ClosableSocket | undefined
    const hold = rechecks.hold(admission, refusal => {
      if (webSocket === undefined) socket.destroy()
      else closeConnection(webSocket, socket, refusal)
    })
    holds.set(socket, hold)
    socket.once('close', () => hold.release())
    try {
      handle(request, socket, head, opened => {
        webSocket = opened
        holds.set(opened, hold)
      })
    } catch (error) {
      socket.destroy()
      throw error
    }
  }

  function find(socket: object): Hold {
    const hold = holds.get(socket)
    if (hold === undefined) throw new Error('This socket was not let in by this guard.')
    return hold
  }

  return {
    upgrade(target) {
      const handle = readTarget(target)
      return (request, socket, head) => {
        if (taken.has(socket)) {
          process.emitWarning('Two guards take the same upgrade: call the listener of one of them, by the path.')
          socket.destroy()
          return
        }
        taken.add(socket)
        void open(request, socket, head, handle)
      }
    },
    principal: socket => find(socket).principal,
    async renew(socket, token) {
      const hold = find(socket)
      const verify = () => verifier.verify(token, need)
      const principal = await verify()
      assertSamePerson(hold.principal, principal)
      rechecks.assertLasting(principal)
      if (!hold.isOpen) throw new Error('This connection has closed.')
      hold.renew({ principal, verify })
      return principal
    },
    get openConnections() {
      return rechecks.size
    },
  }
}

function readTarget(target: UpgradingServer | HandleUpgrade): HandleUpgrade {
  if (typeof target === 'function') return target
  if (typeof target?.handleUpgrade !== 'function') throw new TypeError('upgrade needs a WebSocketServer or a function')
  // With `server` or `port` it listens for upgrades itself, and everybody would get in beside the guard.
  if (target.options !== undefined && target.options.noServer !== true)
    throw new TypeError('Make the WebSocketServer with { noServer: true }, or it takes upgrades past the guard.')
  return (request, socket, head, opened) =>
    target.handleUpgrade(request, socket, head, webSocket => {
      opened(webSocket)
      target.emit('connection', webSocket, request)
    })
}

// The same subject of another issuer is somebody else, and whoever acts for a subject is not the subject.
function assertSamePerson(before: Principal, after: Principal): void {
  if (
    before.subject === after.subject &&
    before.tenant === after.tenant &&
    before.claims.iss === after.claims.iss &&
    before.claims.act?.sub === after.claims.act?.sub
  )
    return
  throw new AuthError('forbidden', 'The token belongs to somebody else than this connection.')
}

function limitTime(admission: Promise<Admission>, timeoutMs: number): Promise<Admission> {
  return new Promise((resolve, reject) => {
    const late = new AuthError('keys_unavailable', 'The token could not be checked in time.')
    const timer = setTimeout(() => reject(late), timeoutMs).unref()
    admission.then(resolve, reject).finally(() => clearTimeout(timer))
  })
}
