import { strictObject } from '@signet/http'
import { type TProperties, Type } from 'typebox'

const mostRows = 200

/** The query of a list. `sorts` are its sort keys, the first one being the default, each also backwards with a minus. */
export function listQuery<const Sort extends string, Filters extends TProperties>(
  sorts: readonly [Sort, ...Sort[]],
  fallback: Sort | `-${Sort}`,
  filters: Filters,
) {
  const words = sorts.flatMap(sort => [sort, `-${sort}`] as const)
  return strictObject({
    limit: Type.Integer({ minimum: 1, maximum: mostRows, default: 50, description: 'Rows a page' }),
    cursor: Type.Optional(Type.String({ maxLength: 2_000, description: '`next_cursor` of the page before' })),
    sort: Type.Enum(words, { default: fallback, description: 'The sort key; backwards with a minus before it' }),
    count: Type.Boolean({ default: false, description: 'Also say how many there are in all' }),
    ...filters,
  })
}

/** The filter that looks for a part of several texts. */
export const SearchText = Type.Optional(
  Type.String({ minLength: 1, maxLength: 100, description: 'Part of a name or address, in any case' }),
)
