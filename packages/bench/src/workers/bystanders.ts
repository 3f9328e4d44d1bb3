/** Those who want something else while many sign in: each asks one request after the other, on a connection of their own. */

import { setTimeout as pause } from 'node:timers/promises'
import { addressOf } from '../network-addresses.ts'
import { answerQuestions } from './answer-questions.ts'
import { type HttpAnswer, openConnection } from './http-connection.ts'

export interface BystandersQuestion {
  readonly url: string
  /** A session to refresh. */
  readonly refreshToken: string
  /** Answers each of them waits for. */
  readonly samples: number
  /** From one question to the next, where the answer to the one before is there; 0 asks without a pause. */
  readonly everyMs: number
}

/** Milliseconds that each answer took. */
export interface BystandersAnswer {
  /** Of the same session, for the next question. */
  readonly refreshToken: string
  readonly keySet: readonly number[]
  readonly health: readonly number[]
  readonly refresh: readonly number[]
}

answerQuestions(async ({ url, refreshToken, samples, everyMs }: BystandersQuestion): Promise<BystandersAnswer> => {
  const watch = async (ask: (number: number) => Promise<HttpAnswer>): Promise<number[]> => {
    const times: number[] = []
    while (times.length < samples) {
      const sentAt = performance.now()
      const { status, body } = await ask(times.length)
      times.push(performance.now() - sentAt)
      if (status !== 200) throw new Error(`It was answered with ${status}: ${body}`)
      if (everyMs > 0) await pause(Math.max(0, sentAt + everyMs - performance.now()))
    }
    return times
  }
  const [keys, health, session] = await Promise.all([openConnection(url), openConnection(url), openConnection(url)])
  let token = refreshToken
  const refresh = async (number: number) => {
    const body = JSON.stringify({ refresh_token: token })
    const answer = await session.post('/api/v1/tokens/refresh', 'application/json', body, addressOf(number))
    if (answer.status === 200) token = (JSON.parse(answer.body) as { refresh_token: string }).refresh_token
    return answer
  }
  const [keySetTimes, healthTimes, refreshTimes] = await Promise.all([
    watch(() => keys.get('/.well-known/jwks.json')),
    watch(() => health.get('/livez')),
    watch(refresh),
  ])
  for (const connection of [keys, health, session]) connection.close()
  return { refreshToken: token, keySet: keySetTimes, health: healthTimes, refresh: refreshTimes }
})
