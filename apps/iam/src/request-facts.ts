import { userAgentOf } from '@signet/http'
import type { RequestFacts } from './deps.ts'

/** What a service may know of a request. */
export function describeRequest(request: {
  readonly id: string
  readonly ip: string
  readonly headers: { readonly 'user-agent'?: string | undefined }
}): RequestFacts {
  return { id: request.id, ip: request.ip, userAgent: userAgentOf(request) }
}
