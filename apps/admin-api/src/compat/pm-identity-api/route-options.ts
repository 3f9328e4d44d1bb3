/** What the routes of this system have in common. */
import { messageResponses } from '@signet/http'
import type { TSchema } from 'typebox'

interface Described {
  readonly operationId: string
  readonly summary: string
  /** The native route to call instead, and what the caller needs. */
  readonly description: string
}

const tags = ['pm-identity-api']
export const config = { access: {} }

/** The schema of a route that a token opens. `failures` beside those that all have. */
export function describeRoute<
  const Parts extends { readonly params?: TSchema; readonly body?: TSchema },
  const Answers extends Readonly<Record<number, TSchema>>,
  const Status extends number = never,
>(said: Described, parts: Parts, answers: Answers, ...failures: readonly Status[]) {
  return {
    tags,
    ...said,
    ...parts,
    response: { ...answers, ...messageResponses<400 | 401 | 403 | 503 | Status>(400, 401, 403, 503, ...failures) },
  }
}
