import type { MessageId, UserId } from '@signet/kernel'
import type { TemplateName } from './messages.ts'

export type Channel = 'email' | 'sms' | 'event'

/** A message as it leaves: its words are put together, and `to` is the one recipient that was stored. */
export interface Outgoing {
  readonly id: MessageId
  readonly channel: Channel
  readonly to: string
  /** Whom it is about; null where nobody is known. */
  readonly userId: UserId | null
  readonly template: TemplateName
  /** One line. Empty where the channel has none. */
  readonly subject: string
  readonly text: string
  readonly html: string | null
  readonly replyTo: string | null
  /** The words that differ from one message of its template to the next, in order, for providers that keep the rest. */
  readonly variables: readonly string[]
  /** The body of an event. */
  readonly payload: Readonly<Record<string, unknown>> | null
  readonly createdAt: Date
}

/** Hands a message to whoever delivers it, and says how that went. */
export interface Transport {
  /**
   * Returns once the message is taken over. Nothing that the message says goes into an error.
   * @param signal ends the attempt: it took too long
   * @throws PermanentFailure where another attempt would be refused as well; any other error is tried again
   */
  send(message: Outgoing, signal: AbortSignal): Promise<void>
  close(): Promise<void>
}

/** Trying again is of no use: the recipient or the message was refused, not the attempt. */
export class PermanentFailure extends Error {
  override readonly name = 'PermanentFailure'
}
