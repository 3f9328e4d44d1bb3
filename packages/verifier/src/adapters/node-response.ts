import type { ServerResponse } from 'node:http'
import type { Answer } from './answer.ts'

/** Does nothing where somebody else has answered while the keys were waited for, a time-out for instance. */
export function sendAnswer(response: ServerResponse, { status, headers, body }: Answer): void {
  if (response.headersSent) return
  response.statusCode = status
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value)
  response.end(body)
}
