/** Keeps a number of password sign-ins in flight, whatever is answered, until it is told to stop. */

import { addressOf } from '../network-addresses.ts'
import { answerQuestions } from './answer-questions.ts'
import { openConnection } from './http-connection.ts'

export type OverloadQuestion =
  | {
      readonly url: string
      readonly inFlight: number
      /** Right ones. They are used by turns, so that nobody is refused for having tried too often. */
      readonly bodies: readonly string[]
    }
  | 'stop'

export interface OverloadAnswer {
  readonly served: number
  /** Answered with 503 and `Retry-After`. */
  readonly shed: number
  readonly seconds: number
}

let running: Promise<OverloadAnswer> | undefined
const stopping = new AbortController()

/** Answers a start when every connection has had an answer, and a stop with what happened since. */
answerQuestions(async (question: OverloadQuestion): Promise<OverloadAnswer | undefined> => {
  if (question === 'stop') {
    stopping.abort()
    return running
  }
  await new Promise<void>((resolve, reject) => {
    running = keepInFlight(question, resolve)
    running.catch(reject)
  })
  return undefined
})

async function keepInFlight(
  { url, inFlight, bodies }: Exclude<OverloadQuestion, 'stop'>,
  onAllAnswered: () => void,
): Promise<OverloadAnswer> {
  const connections = await Promise.all(Array.from({ length: inFlight }, () => openConnection(url)))
  const startedAt = performance.now()
  const answered = new Set<number>()
  let requests = 0
  let served = 0
  let shed = 0
  await Promise.all(
    connections.map(async (connection, number) => {
      while (!stopping.signal.aborted) {
        const request = requests++
        const body = bodies[request % bodies.length] ?? ''
        const {
          status,
          retryAfter,
          body: text,
        } = await connection.post('/api/v1/tokens', 'application/json', body, addressOf(request))
        if (status === 200) served += 1
        else if (status === 503 && retryAfter !== undefined) shed += 1
        else throw new Error(`A sign-in was answered with ${status}: ${text}`)
        answered.add(number)
        if (answered.size === inFlight) onAllAnswered()
      }
      connection.close()
    }),
  )
  return { served, shed, seconds: (performance.now() - startedAt) / 1_000 }
}
