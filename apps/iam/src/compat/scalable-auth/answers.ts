/** What the routes of scalable-auth have in common: the forms of their answers, and where a secret in an address points to. */
import { Type } from 'typebox'

export const tags = ['scalable-auth']

export const DetailAndToken = Type.Object({
  detail: Type.String({ examples: ['Login successful'] }),
  token: Type.String({ examples: ['eyJhbGciOiJSUzI1NiIsInR5cCI6ImF0K2p3dCJ9.eyJzdWIiOiIwMTk5YTNjNCJ9.c2lnbmF0dXJl'] }),
})

const failure = {
  description: '`{ "detail": … }`',
  content: {
    'application/json': { schema: Type.Object({ detail: Type.Unknown({ examples: ["Refresh key didn't match"] }) }) },
  },
}

export function failures<S extends number>(...statuses: readonly S[]): Record<S, typeof failure> {
  return Object.fromEntries(statuses.map(status => [status, failure])) as Record<S, typeof failure>
}

/** Deprecated since 1 January 2026 (RFC 9745). */
const deprecation = `@${Date.UTC(2026, 0, 1) / 1_000}`

/** Of a route with a secret or a person's number in its address, which anything on the way may write down. */
export function pointTo(path: string) {
  return { deprecation, link: `<${path}>; rel="successor-version"`, 'cache-control': 'no-store' }
}
