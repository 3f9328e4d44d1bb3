// A real SMTP server on a free port of this machine that keeps what it takes, and fails as it is told.
import type { AddressInfo, Socket } from 'node:net'
import { SMTPServer, type SMTPServerOptions } from 'smtp-server'

export interface ReceivedMail {
  readonly from: string
  /** Of the envelope: who really gets it. */
  readonly to: readonly string[]
  /** Header fields as they came, unfolded; the names in lower case. */
  readonly headers: ReadonlyMap<string, readonly string[]>
  readonly raw: string
  readonly isSecure: boolean
  readonly user: string | undefined
}

export interface SmtpSink {
  readonly port: number
  readonly received: readonly ReceivedMail[]
  /** Ends every connection as it is. */
  hangUp(): void
  close(): Promise<void>
}

/** `refuse` answers a message; `null` takes it. */
export type Refuse = (mail: ReceivedMail) => Error | null

export function refusal(responseCode: number, message: string): Error {
  return Object.assign(new Error(message), { responseCode })
}

export async function openSmtpSink(
  options: SMTPServerOptions & { port?: number; refuse?: Refuse } = {},
): Promise<SmtpSink> {
  const { port = 0, refuse = () => null, ...rest } = options
  const received: ReceivedMail[] = []
  const server = new SMTPServer({
    authOptional: true,
    disableReverseLookup: true,
    // What is left of a connection when the test ends is not waited for.
    closeTimeout: 50,
    onData: (stream, session, callback) => {
      const chunks: Buffer[] = []
      stream.on('data', (chunk: Buffer) => chunks.push(chunk))
      // Where the other end goes away in the middle of a message, this never comes.
      stream.on('end', () => {
        const { envelope, secure, user } = session
        const raw = Buffer.concat(chunks).toString()
        const from = envelope.mailFrom === false ? '' : envelope.mailFrom.address
        const to = envelope.rcptTo.map(each => each.address)
        const mail: ReceivedMail = { from, to, headers: readHeaders(raw), raw, isSecure: secure, user }
        const error = refuse(mail)
        if (error === null) received.push(mail)
        callback(error)
      })
    },
    ...rest,
  })
  server.on('error', () => undefined)
  const sockets = new Set<Socket>()
  server.server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  await new Promise<void>(resolve => server.listen(port, '127.0.0.1', resolve))
  return {
    port: (server.server.address() as AddressInfo).port,
    received,
    hangUp: () => {
      for (const socket of sockets) socket.destroy()
    },
    close: () => new Promise(resolve => server.close(() => resolve())),
  }
}

function readHeaders(raw: string): ReadonlyMap<string, readonly string[]> {
  const end = raw.indexOf('\r\n\r\n')
  const headers = new Map<string, string[]>()
  for (const line of raw
    .slice(0, end)
    .replace(/\r\n[ \t]+/g, ' ')
    .split('\r\n')) {
    const colon = line.indexOf(':')
    const name = line.slice(0, colon).toLowerCase()
    headers.set(name, [...(headers.get(name) ?? []), line.slice(colon + 1).trim()])
  }
  return headers
}
