/**
 * People who sign in when they want to, not when the server has time: so many a second, whatever happened to those before them.
 * Each takes a connection that is free, or a new one.
 */

import { setTimeout as pause } from 'node:timers/promises'
import { addressOf } from '../network-addresses.ts'
import { answerQuestions } from './answer-questions.ts'
import { type HttpConnection, openConnection } from './http-connection.ts'

export interface OpenLoopQuestion {
  readonly url: string
  /** Right ones. They are used by turns, so that nobody is refused for having tried too often. */
  readonly bodies: readonly string[]
  readonly perSecond: number
  readonly durationMs: number
}

export interface OpenLoopAnswer {
  readonly sent: number
  readonly served: number
  /** Answered with 503 and `Retry-After`. */
  readonly shed: number
  /** Everything else, and what was not answered: the first few. */
  readonly wrong: readonly string[]
  /** From the last that was sent to the last answer. */
  readonly drainedMs: number
}

const tickMs = 5
const shownWrong = 5

answerQuestions(async ({ url, bodies, perSecond, durationMs }: OpenLoopQuestion): Promise<OpenLoopAnswer> => {
  const free: HttpConnection[] = []
  const wrong: string[] = []
  const asked: Promise<void>[] = []
  let served = 0
  let shed = 0

  const signIn = async (number: number) => {
    try {
      const connection = free.pop() ?? (await openConnection(url))
      const body = bodies[number % bodies.length] ?? ''
      const answer = await connection.post('/api/v1/tokens', 'application/json', body, addressOf(number))
      free.push(connection)
      if (answer.status === 200) served += 1
      else if (answer.status === 503 && answer.retryAfter !== undefined) shed += 1
      else wrong.push(`${answer.status}: ${answer.body}`)
    } catch (error) {
      wrong.push((error as Error).message)
    }
  }

  const startedAt = performance.now()
  for (;;) {
    const elapsedMs = performance.now() - startedAt
    const due = (Math.min(elapsedMs, durationMs) / 1_000) * perSecond
    while (asked.length < due) asked.push(signIn(asked.length))
    if (elapsedMs >= durationMs) break
    await pause(tickMs)
  }
  const endedAt = performance.now()
  await Promise.all(asked)
  for (const connection of free) connection.close()
  const drainedMs = performance.now() - endedAt
  return { sent: asked.length, served, shed, wrong: wrong.slice(0, shownWrong), drainedMs }
})
