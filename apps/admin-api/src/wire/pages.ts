import { nullable } from '@signet/http'
import type { Page } from '@signet/kernel'
import { type TSchema, Type } from 'typebox'

export function pageOf<S extends TSchema>(item: S) {
  return Type.Object({
    items: Type.Array(item),
    next_cursor: nullable(Type.String({ description: 'Pass it as `cursor` for the next page; null on the last one' })),
    total: Type.Optional(Type.Integer({ description: 'All that match, with `count=true`' })),
  })
}

/** The page on the wire, with its link to the next one (RFC 8288): a relative reference, so that no Host can poison it. */
export function sendPage<T, V>(
  reply: { header(name: string, value: string): unknown },
  request: { readonly url: string; readonly query: Readonly<Record<string, unknown>> },
  page: Page<T>,
  present: (row: T) => V,
): { items: V[]; next_cursor: string | null; total?: number } {
  if (page.next_cursor !== null) {
    const query = new URLSearchParams()
    for (const [name, value] of Object.entries(request.query)) query.set(name, String(value))
    query.set('cursor', page.next_cursor)
    reply.header('link', `<${request.url.split('?', 1)[0]}?${query.toString()}>; rel="next"`)
  }
  const { next_cursor, total } = page
  return { items: page.items.map(present), next_cursor, ...(total === undefined ? {} : { total }) }
}
