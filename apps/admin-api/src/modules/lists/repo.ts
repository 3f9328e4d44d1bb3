/**
 * Pages by position, not by number: each begins after the last row of the one before, so that rows that come and go
 * meanwhile neither repeat nor hide others. The id breaks ties.
 */
import type { TenantTx } from '@signet/db'
import { type CursorPosition, cursorScope, decodeCursor, encodeCursor, type Page } from '@signet/kernel'
import { and, asc, desc, ilike, or, type SQL, sql } from 'drizzle-orm'
import type { AnyPgColumn, PgTable, PgView } from 'drizzle-orm/pg-core'

/** What a list is sorted by. Never null: a null has no place in an order that continues. */
export interface SortKey {
  readonly by: SQL | AnyPgColumn
  readonly type: 'timestamptz' | 'text' | 'integer' | 'uuid'
}

export interface ListSource {
  /** Part of what its cursors are bound to. */
  readonly name: string
  readonly from: PgTable | PgView
  readonly columns: Readonly<Record<string, AnyPgColumn | SQL.Aliased>>
  readonly id: SortKey
  readonly sorts: Readonly<Record<string, SortKey>>
  readonly filters: readonly (SQL | undefined)[]
}

export interface ListQuery {
  readonly limit: number
  readonly cursor?: string
  readonly sort: string
  readonly count: boolean
}

/** @throws Problem `invalid-cursor` */
export async function listRows<Row extends object>(
  { db, tenantId }: TenantTx,
  cursorKey: Uint8Array,
  source: ListSource,
  query: ListQuery,
): Promise<Page<Row>> {
  const { name, from, columns, id, filters } = source
  const isBackwards = query.sort.startsWith('-')
  const key = source.sorts[isBackwards ? query.sort.slice(1) : query.sort]
  if (key === undefined) throw new TypeError(`The list ${name} has no sort key ${query.sort}.`)
  const scope = cursorScope(tenantId, name, { ...query })
  const after = query.cursor === undefined ? undefined : decodeCursor(cursorKey, scope, query.cursor)
  const direction = isBackwards ? desc : asc
  const rows = (await db
    // As text: a timestamp that went through a Date would have lost its microseconds, and with them its place.
    .select({
      ...columns,
      sortedAs: sql<string>`(${key.by})::text`.as('sorted_as'),
      idAs: sql<string>`(${id.by})::text`.as('id_as'),
    })
    .from(from)
    .where(and(...filters, after === undefined ? undefined : isAfter(key, id, after, isBackwards)))
    .orderBy(direction(key.by), direction(id.by))
    .limit(query.limit + 1)) as (Row & { sortedAs: string; idAs: string })[]
  const items = rows.slice(0, query.limit)
  const last = rows.length > query.limit ? items.at(-1) : undefined
  return {
    items,
    next_cursor: last === undefined ? null : encodeCursor(cursorKey, scope, [last.sortedAs, last.idAs]),
    ...(query.count ? { total: await countRows(db, from, filters) } : {}),
  }
}

function isAfter(key: SortKey, id: SortKey, [sortedAs = '', idAs = '']: CursorPosition, isBackwards: boolean): SQL {
  // As text first: the driver would take a parameter of type timestamptz through a Date as well.
  const position = sql`(${sortedAs}::text::${sql.raw(key.type)}, ${idAs}::text::${sql.raw(id.type)})`
  return isBackwards ? sql`(${key.by}, ${id.by}) < ${position}` : sql`(${key.by}, ${id.by}) > ${position}`
}

async function countRows(
  db: TenantTx['db'],
  from: ListSource['from'],
  filters: ListSource['filters'],
): Promise<number> {
  const [row] = await db
    .select({ total: sql<number>`count(*)::int` })
    .from(from)
    .where(and(...filters))
  return row?.total ?? 0
}

/** True where one of the columns holds the text, in any case. */
export function holdsText(text: string | undefined, ...columns: readonly AnyPgColumn[]): SQL | undefined {
  if (text === undefined) return undefined
  const pattern = patternFor(text)
  return or(...columns.map(column => ilike(column, pattern)))
}

/** The pattern of whatever holds the text. The signs that LIKE gives a meaning are meant literally. */
export function patternFor(text: string): string {
  return `%${text.replace(/[\\%_]/g, '\\$&')}%`
}

/** A text that may be missing, as a sort key. */
export function sortText(column: AnyPgColumn): SortKey {
  return { by: sql`coalesce(lower(${column}), '')`, type: 'text' }
}
