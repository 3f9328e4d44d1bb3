/** Requests of callers who hang up: in the middle of their body, or while the answer is made. */

import { type Agent, request } from 'node:http'
import { text } from 'node:stream/consumers'
import type { HttpAnswer } from '../workers/http-connection.ts'

export interface Sent {
  readonly method: 'GET' | 'POST' | 'PATCH'
  readonly path: string
  readonly body?: string
}

/** `body`: half of it is sent. `answer`: everything is sent, and the connection ends at a random moment after it. */
export type Cut = 'body' | 'answer' | undefined

const latestCutMs = 15

/** Undefined where the caller was faster than the answer. @throws Error when the connection breaks without being cut */
export function sendOrCut(
  agent: Agent,
  url: string,
  { method, path, body = '' }: Sent,
  token: string,
  cut: Cut,
): Promise<HttpAnswer | undefined> {
  const described = body === '' ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }
  const headers = { authorization: `Bearer ${token}`, ...described }
  return new Promise((resolve, reject) => {
    const fail = (error: Error) => (cut === undefined ? reject(error) : resolve(undefined))
    const asked = request(`${url}${path}`, { agent, method, headers }, response => {
      const { statusCode = 0, headers: told } = response
      const retryAfter = told['retry-after'] === undefined ? undefined : Number(told['retry-after'])
      text(response).then(read => resolve({ status: statusCode, retryAfter, body: read }), fail)
    })
    asked.on('error', fail)
    if (cut === 'body') asked.write(body.slice(0, body.length / 2), () => asked.destroy())
    else asked.end(body)
    if (cut === 'answer') setTimeout(() => asked.destroy(), Math.random() * latestCutMs)
  })
}
