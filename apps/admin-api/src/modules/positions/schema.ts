import { IdText, Moment, nullable, strictObject } from '@signet/http'
import { type Static, Type } from 'typebox'
import { lineOf, linesOf } from '../../wire/texts.ts'
import { listQuery, SearchText } from '../lists/index.ts'

const title = lineOf(200, 'Head of sales')
const description = linesOf(2_000, 'Leads those who sell')
const level = nullable(
  Type.Integer({ minimum: 0, maximum: 1_000, description: 'The rank, in whatever scale you have', examples: [3] }),
)
const orgUnitId = nullable(IdText)

export const PositionView = Type.Object({
  id: IdText,
  title: Type.String({ examples: ['Head of sales'] }),
  description: Type.String({ examples: ['Leads those who sell'] }),
  level: nullable(Type.Integer({ examples: [3] })),
  org_unit_id: nullable(Type.String({ description: 'The unit that it is in' })),
  created_at: Moment,
  updated_at: Moment,
})
export type PositionView = Static<typeof PositionView>

const sorts = ['title', 'created_at', 'level'] as const
const filters = {
  q: SearchText,
  title: Type.Optional(Type.String({ minLength: 1, maxLength: 200 })),
  level: Type.Optional(Type.Integer({ minimum: 0, maximum: 1_000 })),
}

export const PositionQuery = listQuery(sorts, 'title', {
  ...filters,
  org_unit_id: Type.Optional(Type.String({ ...IdText, description: 'Those of this unit and of the units below it' })),
})
export type PositionQuery = Static<typeof PositionQuery>

export const PositionOfUnitQuery = listQuery(sorts, 'title', filters)
export type PositionOfUnitQuery = Static<typeof PositionOfUnitQuery>

export const PositionParams = strictObject({ id: IdText })

export const NewPosition = strictObject({
  title,
  description: Type.Optional(description),
  level: Type.Optional(level),
  org_unit_id: Type.Optional(orgUnitId),
})
export type NewPosition = Static<typeof NewPosition>

export const PositionChange = strictObject(
  {
    title: Type.Optional(title),
    description: Type.Optional(nullable(description)),
    level: Type.Optional(level),
    org_unit_id: Type.Optional(orgUnitId),
  },
  { minProperties: 1, description: 'A merge patch (RFC 7396): absent members stay, null clears' },
)
export type PositionChange = Static<typeof PositionChange>
