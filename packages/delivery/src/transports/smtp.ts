/** E-mail by SMTP, over one connection that is kept. The only recipient is the one that was stored (THREATS I-06). */
import { createTransport, type NodemailerError } from 'nodemailer'
import { type Outgoing, PermanentFailure, type Transport } from '../transport.ts'

export interface SmtpSettings {
  readonly host: string
  readonly port: number
  /** `starttls` is required then, not merely tried; `tls` from the first byte. */
  readonly security: 'starttls' | 'tls' | 'none'
  readonly credentials: { readonly username: string; readonly password: string } | undefined
  /** An address. */
  readonly sender: string
  /** Messages a connection sends before another takes its place. */
  readonly maxMessages: number
  /** Authorities in PEM instead of those that Node knows. */
  readonly authorities?: string
}

/** Each below the worker's own limit of an attempt, so that an outage is told by its name. */
const timeouts = { dnsTimeout: 5_000, connectionTimeout: 10_000, greetingTimeout: 10_000, socketTimeout: 20_000 }
/** Servers close a connection on which nothing happens: ours goes first. */
const idleTimeoutMs = 30_000

function describeServer({ host, port, security, credentials, authorities }: SmtpSettings) {
  return {
    host,
    port,
    secure: security === 'tls',
    requireTLS: security === 'starttls',
    ignoreTLS: security === 'none',
    ...(authorities === undefined ? {} : { tls: { ca: authorities } }),
    ...(credentials === undefined ? {} : { auth: { user: credentials.username, pass: credentials.password } }),
    ...timeouts,
  }
}

/** Connects and signs in, and sends nothing. @throws Error that says what the server answered */
export async function connectOnce(settings: SmtpSettings): Promise<void> {
  const transport = createTransport(describeServer(settings))
  try {
    await transport.verify()
  } catch (error) {
    throw describeFailure(error)
  } finally {
    transport.close()
  }
}

export function createSmtpTransport(settings: SmtpSettings): Transport {
  const { sender, maxMessages } = settings
  const pool = createTransport({
    ...describeServer(settings),
    pool: true,
    maxConnections: 1,
    maxMessages,
    // Repeating is the outbox's business, which counts it: the pool would send a message again that was taken over.
    maxRequeues: 0,
    idleTimeout: idleTimeoutMs,
    // What a message says is text, and never the name of a file or an address to fetch.
    disableFileAccess: true,
    disableUrlAccess: true,
  })
  const domain = sender.slice(sender.lastIndexOf('@') + 1)
  return {
    send: async (message, signal) => {
      const { id, to, subject, text, html, replyTo, createdAt } = message
      assertSingleAddresses(message)
      try {
        await pool.sendMail({
          // The same over all attempts: who gets a message twice can tell.
          messageId: `<${id}@${domain}>`,
          date: createdAt,
          from: { name: '', address: sender },
          to: { name: '', address: to },
          ...(replyTo === null ? {} : { replyTo: { name: '', address: replyTo } }),
          subject,
          text,
          ...(html === null ? {} : { html }),
          headers: { 'Auto-Submitted': 'auto-generated' },
          signal,
        })
      } catch (error) {
        throw describeFailure(error)
      }
    },
    close: async () => pool.close(),
  }
}

/** Something, one @, something, and nothing between that could end an address or begin another. */
const singleAddress = /^[^\s\p{C}<>()[\],;:"\\@]+@[^\s\p{C}<>()[\],;:"\\@]+$/u

function assertSingleAddresses({ to, replyTo }: Outgoing): void {
  if (!singleAddress.test(to)) throw new PermanentFailure('The recipient is not one plain address.')
  if (replyTo !== null && !singleAddress.test(replyTo)) {
    throw new PermanentFailure('The address to reply to is not one plain address.')
  }
}

/** Kinds of failure that are about this one message or its recipient. Any other 5xx is about us, and may be mended. */
const aboutTheMessage = new Set(['EENVELOPE', 'EMESSAGE'])

/** A server may repeat in its answer what it was sent: only the numbers of it are kept (RFC 5321, RFC 3463). */
function describeFailure(error: unknown): Error {
  const { code = 'no code', response = '', responseCode } = error as Partial<NodemailerError> & { response?: string }
  const [, numbers = ''] = /^(\d{3}(?:[ -]\d\.\d{1,3}\.\d{1,3})?)/.exec(response) ?? []
  const text = `SMTP ${numbers === '' ? code : `${numbers.replace('-', ' ')} (${code})`}`
  const isPermanent = aboutTheMessage.has(code) && typeof responseCode === 'number' && responseCode >= 500
  return isPermanent ? new PermanentFailure(text) : new Error(text)
}
