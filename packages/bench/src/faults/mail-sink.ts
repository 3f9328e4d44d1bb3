/** A mail server on loopback that takes everything, remembers what it has taken, and is as slow to say so as real ones. */

import type { AddressInfo } from 'node:net'
import { SMTPServer } from 'smtp-server'

export interface Taken {
  readonly recipient: string
  /** The header, with its angle brackets; empty without one. */
  readonly messageId: string
}

export interface MailSink extends AsyncDisposable {
  readonly port: number
  /** In the order in which they came, also those whose sender never heard that they were taken. */
  readonly taken: readonly Taken[]
}

/** @param slowestMs how long it may be between a message's last byte and the answer */
export async function openMailSink(slowestMs: number): Promise<MailSink> {
  const taken: Taken[] = []
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['AUTH', 'STARTTLS'],
    onData: (stream, session, done) => {
      let text = ''
      stream.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk
      })
      stream.on('end', () => {
        const messageId = /^message-id: *(\S+)/im.exec(text)?.[1] ?? ''
        for (const { address } of session.envelope.rcptTo) taken.push({ recipient: address, messageId })
        setTimeout(done, Math.random() * slowestMs)
      })
    },
  })
  // A sender that is killed breaks its connection: that is what this is for.
  server.on('error', () => undefined)
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', () => resolve()))
  return {
    port: (server.server.address() as AddressInfo).port,
    taken,
    [Symbol.asyncDispose]: () => new Promise(resolve => server.close(() => resolve())),
  }
}
