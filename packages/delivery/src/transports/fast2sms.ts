/**
 * Fast2SMS, route `dlt` (docs.fast2sms.com/reference/dlt-sms): the words are registered with the operators beforehand under
 * a message id, and only what fills their gaps is sent. The key stands in a header, never in the address.
 */
import { type Outgoing, PermanentFailure, type Transport } from '../transport.ts'
import { createHttpSender, describeAnswer, isSuccess, membersOf } from './http-sender.ts'

export interface Fast2SmsOptions {
  readonly apiKey: string
  /** Three to six letters, registered. */
  readonly senderId: string
  /** The message id that Fast2SMS gave the registered template. */
  readonly templateId: string
  readonly timeoutMs?: number
  /** Where its API is; for tests. */
  readonly baseUrl?: string
}

const name = 'Fast2SMS'

/**
 * Their codes for a number or for words that are refused (docs.fast2sms.com/reference/error-code-list). All others, e.g. an empty
 * wallet or a disabled key, are put right by the operator.
 */
const permanentCodes = new Set<unknown>([405, 407, 411, 417, 426])

export function createFast2Sms(options: Fast2SmsOptions): Transport {
  const { apiKey, senderId, templateId, timeoutMs = 10_000, baseUrl = 'https://www.fast2sms.com' } = options
  const sender = createHttpSender(name, timeoutMs)
  return {
    send: async (message, signal) => {
      const body = JSON.stringify({
        route: 'dlt',
        sender_id: senderId,
        message: templateId,
        variables_values: joinVariables(message),
        numbers: indianNumber(message.to),
      })
      const headers = { authorization: apiKey, 'content-type': 'application/json' }
      const answer = await sender.post(`${baseUrl}/dev/bulkV2`, headers, body, signal)
      const { return: taken, status_code: code } = membersOf(answer)
      if (isSuccess(answer) && taken === true) return
      const failure = describeAnswer(name, answer, code)
      throw permanentCodes.has(code) ? new PermanentFailure(failure) : new Error(failure)
    },
    close: () => sender.close(),
  }
}

/** A bar inside of a value would move all that follow into the wrong gaps. */
function joinVariables({ variables }: Outgoing): string {
  return variables.map(value => value.replaceAll('|', ' ')).join('|')
}

/** Ten digits: it serves India alone and takes no country code. */
function indianNumber(number: string): string {
  const digits = /^\+91(\d{10})$/.exec(number)?.[1]
  if (digits === undefined) throw new PermanentFailure(`${name} reaches Indian numbers alone`)
  return digits
}
