/**
 * How a message leaves over HTTP. Whatever is at the other end may be slow, endless or wrong: one limit ends the whole attempt, no
 * more than a few kilobytes of an answer are read, and no redirect is followed, so that keys and texts go to the configured
 * address alone. An answer may repeat what was sent, so nothing of it goes into an error but numbers.
 */
import { Agent, request } from 'undici'
import { PermanentFailure } from '../transport.ts'

export interface HttpAnswer {
  readonly status: number
  readonly body: string
}

export interface HttpSender {
  /**
   * POSTs and reads the answer, whatever its status.
   * @throws Error where there was no whole answer in time
   */
  post(url: string, headers: Readonly<Record<string, string>>, body: string, signal: AbortSignal): Promise<HttpAnswer>
  close(): Promise<void>
}

const largestAnswerBytes = 64 * 1024
const connections = 8

/** @param name who is at the other end, for errors @param timeoutMs for one attempt, from the connection to the last byte */
export function createHttpSender(name: string, timeoutMs: number): HttpSender {
  const agent = new Agent({
    connections,
    connect: { timeout: timeoutMs },
    headersTimeout: timeoutMs,
    bodyTimeout: timeoutMs,
    maxResponseSize: largestAnswerBytes,
  })
  return {
    post: async (url, headers, body, signal) => {
      try {
        const answer = await request(url, {
          method: 'POST',
          headers,
          body,
          dispatcher: agent,
          signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
        })
        return { status: answer.statusCode, body: await answer.body.text() }
      } catch (error) {
        // oxlint-disable-next-line eslint/preserve-caught-error -- the parser's holds the bytes that it could not read
        throw new Error(`${name} gave no answer: ${codeOf(error)}`)
      }
    },
    close: () => agent.destroy(),
  }
}

function codeOf(error: unknown): string {
  const { code, name } = error as { code?: unknown; name?: string }
  return typeof code === 'string' ? code : (name ?? 'unknown')
}

/** What a caller does wrong is wrong each time; what the operator can put right (a key, an address) or time heals, is not. */
const passingStatuses = new Set([401, 403, 404, 407, 408, 425, 429])

/** @param code the provider's own, a number: a text may repeat the message */
export function describeAnswer(name: string, { status }: HttpAnswer, code?: unknown): string {
  return `${name} answered ${status}${typeof code === 'number' ? ` with its code ${code}` : ''}`
}

/** The failure that an answer stands for by its status. */
export function failureOf(name: string, answer: HttpAnswer, code?: unknown): Error {
  const { status } = answer
  const isPermanent = status >= 400 && status < 500 && !passingStatuses.has(status)
  const message = describeAnswer(name, answer, code)
  return isPermanent ? new PermanentFailure(message) : new Error(message)
}

export function isSuccess({ status }: HttpAnswer): boolean {
  return status >= 200 && status < 300
}

/** The members of a JSON object; none where the answer is anything else. */
export function membersOf({ body }: HttpAnswer): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(body)
    return typeof value === 'object' && value !== null ? { ...value } : {}
  } catch {
    return {}
  }
}
