/**
 * A message is a row of the transaction that caused it: there is none without its cause, and no cause waits for a mail server.
 * What it says is sealed (AES-256-GCM), so that a copy of the database holds no code that still works.
 */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import { outboundMessages, type TenantTx } from '@signet/db'
import { type MessageId, newId, type UserId } from '@signet/kernel'
import type { MessageData, TemplateName } from './messages.ts'
import type { Channel } from './transport.ts'

export interface NewMessage<T extends TemplateName = TemplateName> {
  readonly channel: Channel
  /** An e-mail address, a number in E.164, or for an event the name of the service. */
  readonly recipient: string
  /** Whose name and language it is written with. */
  readonly userId: UserId | null
  readonly template: T
  readonly data: MessageData[T]
  /** Not sent after it. */
  readonly expiresAt?: Date
}

/** A message as a SQL function takes it, which writes the row itself. */
export interface SealedMessage {
  readonly id: MessageId
  readonly payload: Buffer
}

export interface Outbox {
  /** Writes the message into the tenant of the transaction. */
  enqueue<T extends TemplateName>(tx: TenantTx, message: NewMessage<T>): Promise<MessageId>
  /** For functions that write the row themselves. */
  seal<T extends TemplateName>(template: T, data: MessageData[T]): SealedMessage
  /** What a payload says. @throws Error where it was sealed by another installation or altered */
  unseal(id: MessageId, payload: Uint8Array): unknown
}

const nonceBytes = 12
const tagBytes = 16

/** @param key 32 bytes, derived for the purpose `outbox` */
export function createOutbox(key: Uint8Array): Outbox {
  const sealData = (id: MessageId, data: unknown): Buffer => {
    const nonce = randomBytes(nonceBytes)
    const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(id))
    const body = Buffer.concat([cipher.update(JSON.stringify(data)), cipher.final()])
    return Buffer.concat([nonce, cipher.getAuthTag(), body])
  }
  return {
    seal: (_template, data) => {
      const id = newId<MessageId>()
      return { id, payload: sealData(id, data) }
    },
    unseal: (id, payload) => {
      const nonce = payload.subarray(0, nonceBytes)
      const tag = payload.subarray(nonceBytes, nonceBytes + tagBytes)
      const decipher = createDecipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(id)).setAuthTag(tag)
      const body = Buffer.concat([decipher.update(payload.subarray(nonceBytes + tagBytes)), decipher.final()])
      return JSON.parse(body.toString())
    },
    enqueue: async (tx, { channel, recipient, userId, template, data, expiresAt }) => {
      const id = newId<MessageId>()
      await tx.db.insert(outboundMessages).values({
        tenantId: tx.tenantId,
        id,
        channel,
        recipient,
        userId,
        template,
        payload: sealData(id, data),
        expiresAt: expiresAt ?? null,
      })
      return id
    },
  }
}
