/**
 * Hands a text message to a receiver of the operator's own. The signature covers the time and the body, so that nobody else can
 * make one and an old one is worth nothing to whoever checks its age; the README says how to.
 */
import { createHmac } from 'node:crypto'
import type { Clock } from '@signet/kernel'
import type { Transport } from '../transport.ts'
import { createHttpSender, failureOf, isSuccess } from './http-sender.ts'

export interface WebhookOptions {
  readonly url: string
  readonly secret: string
  readonly clock: Clock
  readonly timeoutMs?: number
}

const name = 'The SMS webhook'

export function createWebhook({ url, secret, clock, timeoutMs = 10_000 }: WebhookOptions): Transport {
  const sender = createHttpSender(name, timeoutMs)
  return {
    send: async ({ id, channel, to, text, template, variables, createdAt }, signal) => {
      const body = JSON.stringify({ id, channel, to, text, template, variables, created_at: createdAt.toISOString() })
      const seconds = Math.floor(clock() / 1_000)
      const signature = createHmac('sha256', secret).update(`${seconds}.${body}`).digest('hex')
      const headers = { 'content-type': 'application/json', 'x-signet-signature': `t=${seconds},v1=${signature}` }
      const answer = await sender.post(url, headers, body, signal)
      if (!isSuccess(answer)) throw failureOf(name, answer)
    },
    close: () => sender.close(),
  }
}
