/** Lists are bare arrays: all of it at once. */
import { IdText, strictObject } from '@signet/http'
import type { Page } from '@signet/kernel'
import { Type } from 'typebox'
import type { Answer, Once } from '../../modules/idempotency/index.ts'

/** More than this is read page by page at the native route, which the `Link` of the answer names. */
const mostRows = 10_000
const rowsAPage = 1_000

interface PageQuery<Sort> {
  readonly limit: number
  readonly sort: Sort
  readonly count: false
  readonly cursor?: string
}

interface Reply {
  header(name: string, value: string): unknown
}

/** @param native the route that gives the same list in pages */
export async function collectPages<Row, const Sort extends string>(
  reply: Reply,
  native: string,
  sort: Sort,
  read: (query: PageQuery<Sort>) => Promise<Page<Row>>,
): Promise<Row[]> {
  const rows: Row[] = []
  const query = { limit: rowsAPage, sort, count: false } as const
  let page = await read(query)
  rows.push(...page.items)
  while (page.next_cursor !== null && rows.length < mostRows) {
    page = await read({ ...query, cursor: page.next_cursor })
    rows.push(...page.items)
  }
  if (page.next_cursor !== null) reply.header('link', `<${native}>; rel="alternate"`)
  return rows
}

/** Its callers know no Idempotency-Key: each creation happens. */
export function eachTime<Made>(): Once<Made, Made> {
  const present = (body: Made): Answer<Made> => ({ status: 201, headers: {}, body })
  return { key: undefined, fingerprint: Buffer.alloc(0), present }
}

export const IdParams = strictObject({ id: IdText })
export const Gone = Type.Null({ description: 'Deleted' })
