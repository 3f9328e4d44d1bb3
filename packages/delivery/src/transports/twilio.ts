/** Twilio's Messages resource (twilio.com/docs/messaging/api/message-resource). */
import type { Transport } from '../transport.ts'
import { createHttpSender, failureOf, isSuccess, membersOf } from './http-sender.ts'

export interface TwilioOptions {
  readonly accountSid: string
  readonly authToken: string
  /** A number of the account in E.164, or a sender's name. */
  readonly from: string
  readonly timeoutMs?: number
  /** Where its API is; for tests. */
  readonly baseUrl?: string
}

const name = 'Twilio'

export function createTwilio(options: TwilioOptions): Transport {
  const { accountSid, authToken, from, timeoutMs = 10_000, baseUrl = 'https://api.twilio.com' } = options
  const sender = createHttpSender(name, timeoutMs)
  const url = `${baseUrl}/2010-04-01/Accounts/${encodeURIComponent(accountSid)}/Messages.json`
  const headers = {
    authorization: `Basic ${Buffer.from(`${accountSid}:${authToken}`).toString('base64')}`,
    'content-type': 'application/x-www-form-urlencoded',
  }
  return {
    send: async ({ to, text }, signal) => {
      const form = new URLSearchParams({ To: to, From: from, Body: text })
      const answer = await sender.post(url, headers, form.toString(), signal)
      const { sid, code, error_code: lateCode } = membersOf(answer)
      if (!isSuccess(answer)) throw failureOf(name, answer, code)
      // A message that was made and failed at once is answered with 201 as well.
      if (typeof sid !== 'string' || typeof lateCode === 'number') throw failureOf(name, answer, lateCode)
    },
    close: () => sender.close(),
  }
}
