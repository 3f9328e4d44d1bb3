/** Tells the analytics service what happened, in the form that it takes from the service that was here before. */
import type { Transport } from '../transport.ts'
import { createHttpSender, failureOf, isSuccess } from './http-sender.ts'

export interface EventOptions {
  /** Where the receiver is; events go to `/events/ingest` below it. */
  readonly baseUrl: string
  /** Ours, by which the receiver knows us. */
  readonly serviceKey: string | undefined
  readonly timeoutMs?: number
}

const name = 'The receiver of events'
/** Its dashboards group by this name. */
const service = 'eng-identity'

export function createEventSender({ baseUrl, serviceKey, timeoutMs = 10_000 }: EventOptions): Transport {
  const sender = createHttpSender(name, timeoutMs)
  const headers = {
    'content-type': 'application/json',
    ...(serviceKey === undefined ? {} : { 'x-api-key': serviceKey }),
  }
  return {
    send: async ({ template, payload, userId }, signal) => {
      const body = JSON.stringify({ event_type: template, payload, service, user_id: userId })
      const answer = await sender.post(`${baseUrl}/events/ingest`, headers, body, signal)
      if (!isSuccess(answer)) throw failureOf(name, answer)
    },
    close: () => sender.close(),
  }
}
