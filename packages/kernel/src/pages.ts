/**
 * A cursor is a sealed position: it works only in the tenant, the list, the sort and the filter that gave it.
 */
import { timingSafeEqual } from 'node:crypto'
import { problem } from './problems.ts'
import { sealParts } from './secrets.ts'

/** One page of a list. `next_cursor` is null on the last page. */
export interface Page<T> {
  readonly items: readonly T[]
  readonly next_cursor: string | null
  readonly total?: number
}

/** The values of the sort columns in the last row of a page. */
export type CursorPosition = readonly (string | number | null)[]

/** What a cursor is bound to: tenant, list, sort and filters in one text. */
export function cursorScope(tenantId: string, list: string, query: Readonly<Record<string, unknown>>): string {
  const bound = Object.entries(query)
    .filter(([name, value]) => name !== 'cursor' && name !== 'limit' && name !== 'count' && value !== undefined)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
  return JSON.stringify([tenantId, list, bound])
}

export function encodeCursor(key: Uint8Array, scope: string, position: CursorPosition): string {
  const payload = Buffer.from(JSON.stringify(position)).toString('base64url')
  return `${payload}.${sealParts(key, scope, payload).toString('base64url')}`
}

/** @throws Problem `invalid-cursor` for a cursor that we did not make for this very query */
export function decodeCursor(key: Uint8Array, scope: string, cursor: string): CursorPosition {
  const [payload = '', seal = '', ...rest] = cursor.split('.')
  const expected = sealParts(key, scope, payload)
  const given = Buffer.from(seal, 'base64url')
  if (rest.length > 0 || given.length !== expected.length || !timingSafeEqual(given, expected))
    throw problem('invalid-cursor')
  return JSON.parse(Buffer.from(payload, 'base64url').toString('utf8')) as CursorPosition
}
