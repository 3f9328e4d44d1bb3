import type { RequestFacts } from './deps.ts'

/** More of a browser's name than this tells nobody which device it was. */
const longestUserAgent = 300

/** What a service may know of a request. */
export function describeRequest(request: {
  readonly id: string
  readonly ip: string
  readonly headers: { readonly 'user-agent'?: string | undefined }
}): RequestFacts {
  const userAgent = request.headers['user-agent']?.slice(0, longestUserAgent)
  return { id: request.id, ip: request.ip, userAgent: userAgent === undefined || userAgent === '' ? null : userAgent }
}
