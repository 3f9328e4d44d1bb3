/**
 * One connection over which one request at a time is sent, HTTP/1.1 with answers of a stated length. It shares its core with
 * the server's database: what it does not do, it does not take from the server.
 */

import { once } from 'node:events'
import { connect } from 'node:net'

export interface HttpAnswer {
  readonly status: number
  /** Seconds of `Retry-After`; undefined without one. */
  readonly retryAfter: number | undefined
  readonly body: string
}

export interface HttpConnection {
  /** Nothing can be sent over it any more. */
  readonly isClosed: boolean
  /** @throws Error when the connection ends or the answer cannot be read */
  get(path: string, token?: string): Promise<HttpAnswer>
  /** @param from the address that the caller's proxy would tell. @throws as `get` */
  post(path: string, contentType: string, body: string, from?: string, token?: string): Promise<HttpAnswer>
  close(): void
}

interface Waiting {
  readonly resolve: (answer: HttpAnswer) => void
  readonly reject: (error: Error) => void
}

/** @param localAddress where it comes from: any of loopback's. Chosen by the system without it */
export async function openConnection(url: string, localAddress?: string): Promise<HttpConnection> {
  const { hostname, port, host } = new URL(url)
  const socket = connect({ port: Number(port), host: hostname, localAddress })
  await once(socket, 'connect')
  socket.setNoDelay(true)
  let waiting: Waiting | undefined
  let received: Buffer = Buffer.alloc(0)

  const fail = (error: Error) => {
    waiting?.reject(error)
    waiting = undefined
    socket.destroy()
  }
  socket.on('error', fail)
  socket.on('close', () => fail(new Error(`${url} closed the connection.`)))
  socket.on('data', (chunk: Buffer) => {
    received = received.length === 0 ? chunk : Buffer.concat([received, chunk])
    try {
      const answer = readAnswer(received)
      if (answer === undefined) return
      received = Buffer.alloc(0)
      const { resolve } = waiting ?? {}
      waiting = undefined
      resolve?.(answer)
    } catch (error) {
      fail(error as Error)
    }
  })

  const send = (text: string) =>
    new Promise<HttpAnswer>((resolve, reject) => {
      if (socket.destroyed) return reject(new Error('The connection is closed.'))
      waiting = { resolve, reject }
      socket.write(text)
    })
  return {
    get isClosed() {
      return socket.destroyed
    },
    get: (path, token) => send(`GET ${path} HTTP/1.1\r\nhost: ${host}\r\n${authorize(token)}\r\n`),
    post: (path, contentType, body, from, token) => {
      const forwarded = from === undefined ? '' : `x-forwarded-for: ${from}\r\n`
      const described = `content-type: ${contentType}\r\ncontent-length: ${Buffer.byteLength(body)}`
      return send(
        `POST ${path} HTTP/1.1\r\nhost: ${host}\r\n${authorize(token)}${forwarded}${described}\r\n\r\n${body}`,
      )
    },
    close: () => void socket.destroy(),
  }
}

function authorize(token: string | undefined): string {
  return token === undefined ? '' : `authorization: Bearer ${token}\r\n`
}

/** Undefined until the whole answer is there. @throws Error for an answer without a stated length */
export function readAnswer(received: Buffer): HttpAnswer | undefined {
  const headEnd = received.indexOf('\r\n\r\n')
  if (headEnd < 0) return undefined
  const head = received.toString('latin1', 0, headEnd)
  const status = Number(head.slice(9, 12))
  // RFC 9110 section 8.6: an answer that never has content does not say how much.
  const length = status === 204 ? '0' : /\r\ncontent-length: *(\d+)/i.exec(head)?.[1]
  if (length === undefined) throw new Error(`The answer does not state its length:\n${head}`)
  const end = headEnd + 4 + Number(length)
  if (received.length < end) return undefined
  const retryAfter = /\r\nretry-after: *(\d+)/i.exec(head)?.[1]
  return {
    status,
    retryAfter: retryAfter === undefined ? undefined : Number(retryAfter),
    body: received.toString('utf8', headEnd + 4, end),
  }
}
