/** An ETag names the version of one resource; a change with If-Match goes through only while that is the version still. */
import { problem } from '@signet/kernel'
import { Type } from 'typebox'

export function etagOf({ version }: { readonly version: number }): string {
  return `"${version}"`
}

/** The header of a change. Other headers pass. */
export const Precondition = Type.Object({
  'if-match': Type.Optional(
    Type.String({
      description: 'The ETag as it was read. Of something below a parent: the ETag of the parent.',
      examples: ['"3"'],
    }),
  ),
})

/** @throws Problem `version-mismatch` when the header is there and names another version (RFC 9110 section 13.1.1) */
export function assertVersion(ifMatch: string | undefined, resource: { readonly version: number }): void {
  assertMatch(ifMatch, etagOf(resource))
}

/** @param etag of what is there; null where there is nothing, which no If-Match matches @throws Problem `version-mismatch` */
export function assertMatch(ifMatch: string | undefined, etag: string | null): void {
  if (ifMatch === undefined) return
  // The strong comparison: a weak tag never matches, and what is no tag of ours matches nothing.
  const isNamed = ifMatch.trim() === '*' || ifMatch.split(',').some(tag => tag.trim() === etag)
  if (etag === null || !isNamed) throw problem('version-mismatch')
}

/** @throws Problem `version-required` without the header, `version-mismatch` when it names another version */
export function requireVersion(ifMatch: string | undefined, resource: { readonly version: number }): void {
  if (ifMatch === undefined) throw problem('version-required')
  assertVersion(ifMatch, resource)
}
