/**
 * One connection over which one request at a time is sent, HTTP/1.1 with answers of a stated length. It shares its core with
 * the server's database: what it does not do, it does not take from the server.
 */

import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

export interface HttpAnswer {
  readonly status: number
  readonly body: string
}

export interface HttpConnection {
  /** @throws Error when the connection ends or the answer cannot be read */
  post(path: string, contentType: string, body: string): Promise<HttpAnswer>
}

interface Waiting {
  readonly resolve: (answer: HttpAnswer) => void
  readonly reject: (error: Error) => void
}

export async function openConnection(url: string): Promise<HttpConnection> {
  const { hostname, port, host } = new URL(url)
  const socket = connect(Number(port), hostname)
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

  return {
    post: (path, contentType, body) => send(socket, host, path, contentType, body, next => (waiting = next)),
  }
}

function send(
  socket: Socket,
  host: string,
  path: string,
  contentType: string,
  body: string,
  wait: (waiting: Waiting) => void,
): Promise<HttpAnswer> {
  return new Promise((resolve, reject) => {
    if (socket.destroyed) return reject(new Error('The connection is closed.'))
    wait({ resolve, reject })
    const length = Buffer.byteLength(body)
    socket.write(
      `POST ${path} HTTP/1.1\r\nhost: ${host}\r\ncontent-type: ${contentType}\r\ncontent-length: ${length}\r\n\r\n${body}`,
    )
  })
}

/** Undefined until the whole answer is there. @throws Error for an answer without a stated length */
export function readAnswer(received: Buffer): HttpAnswer | undefined {
  const headEnd = received.indexOf('\r\n\r\n')
  if (headEnd < 0) return undefined
  const head = received.toString('latin1', 0, headEnd)
  const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1]
  if (length === undefined) throw new Error(`The answer does not state its length:\n${head}`)
  const end = headEnd + 4 + Number(length)
  if (received.length < end) return undefined
  return { status: Number(head.slice(9, 12)), body: received.toString('utf8', headEnd + 4, end) }
}
