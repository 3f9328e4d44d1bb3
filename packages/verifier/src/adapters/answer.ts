// What an adapter sends by itself: a refusal, or the metadata of the resource. The framework only has to write it down.

import type { AuthError } from '../errors.ts'

export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

export interface ChallengeSettings {
  readonly realm: string
  /** Where the metadata of RFC 9728 is. */
  readonly metadataUrl: string | undefined
}

const uuid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i
// RFC 9110 section 10.2.3. Keys that cannot be fetched are tried again within seconds.
const retryAfterSeconds = 5

/**
 * A problem document (RFC 9457) with the challenge of RFC 6750 section 3, or with `Retry-After` where nothing is wrong with
 * the token. A request id that is a UUID becomes the `instance`.
 */
export function describeRefusal(error: AuthError, settings: ChallengeSettings, requestId = ''): Answer {
  const problem = error.toProblem()
  return {
    status: error.status,
    headers: {
      'content-type': 'application/problem+json',
      'cache-control': 'no-store',
      ...(error.status === 503
        ? { 'retry-after': String(retryAfterSeconds) }
        : { 'www-authenticate': challenge(error, settings) }),
    },
    body: JSON.stringify(uuid.test(requestId) ? { ...problem, instance: `urn:uuid:${requestId}` } : problem),
  }
}

// RFC 9728 section 5.1: the parameter stands in challenges of every kind. A URL holds no quotes and no backslash.
function challenge(error: AuthError, { realm, metadataUrl }: ChallengeSettings): string {
  const bearer = error.wwwAuthenticate(realm)
  return metadataUrl === undefined ? bearer : `${bearer}, resource_metadata="${metadataUrl}"`
}
