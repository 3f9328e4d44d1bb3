/**
 * Times answers as somebody would who wants to learn from them: one connection, one request at a time. What is asked decides
 * the order, so that whatever else happens falls on every kind alike.
 */

import { answerQuestions } from './answer-questions.ts'
import { openConnection } from './http-connection.ts'

export interface TimingQuestion {
  readonly url: string
  readonly path: string
  readonly requests: readonly TimedRequest[]
}

export interface TimedRequest {
  readonly body: string
  /** The address that the caller's proxy would tell. */
  readonly from: string
}

export interface TimedAnswer {
  readonly ms: number
  /** Status and body, without the request's id: what a kind could be known by without any clock. */
  readonly text: string
}

answerQuestions(async ({ url, path, requests }: TimingQuestion): Promise<TimedAnswer[]> => {
  const connection = await openConnection(url)
  const answers: TimedAnswer[] = []
  for (const { body, from } of requests) {
    const sentAt = performance.now()
    const answer = await connection.post(path, 'application/json', body, from)
    const ms = performance.now() - sentAt
    answers.push({ ms, text: `${answer.status} ${answer.body.replace(/urn:uuid:[0-9a-f-]{36}/, '')}` })
  }
  connection.close()
  return answers
})
