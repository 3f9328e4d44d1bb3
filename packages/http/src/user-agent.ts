/** More of a browser's name than this tells nobody which device it was. */
const longestUserAgent = 300

/** What the device of a request calls itself, at most 300 characters; null where it says nothing. */
export function userAgentOf(request: {
  readonly headers: { readonly 'user-agent'?: string | undefined }
}): string | null {
  const userAgent = request.headers['user-agent']?.slice(0, longestUserAgent)
  return userAgent === undefined || userAgent === '' ? null : userAgent
}
