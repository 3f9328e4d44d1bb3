import { IdText, Moment, nullable, strictObject } from '@signet/http'
import { type Static, Type } from 'typebox'
import { lineOf, linesOf } from '../../wire/texts.ts'
import { listQuery, SearchText } from '../lists/index.ts'

const name = lineOf(200, 'Sales', 'Unique among the units of the same parent, in any case')
const description = linesOf(2_000, 'Sells what the others make')
const parentId = nullable(IdText)
const level = Type.Integer({ description: 'How many units are above it: 0 at the top', examples: [1] })

export const OrgUnitView = Type.Object({
  id: IdText,
  name: Type.String({ examples: ['Sales'] }),
  description: Type.String({ examples: ['Sells what the others make'] }),
  parent_id: nullable(Type.String({ description: 'Null at the top' })),
  level,
  path: Type.Array(Type.Object({ id: IdText, name: Type.String({ examples: ['Sales'] }) }), {
    description:
      'From the top down to the unit itself. It follows the units above: their changes do not change the ETag',
  }),
  created_at: Moment,
  updated_at: Moment,
})
export type OrgUnitView = Static<typeof OrgUnitView>

const filters = { q: SearchText, name: Type.Optional(Type.String({ minLength: 1, maxLength: 200 })) }

export const OrgUnitQuery = listQuery(['name', 'created_at'], 'name', {
  ...filters,
  parent_id: Type.Optional(IdText),
  is_top: Type.Optional(Type.Boolean({ description: 'Those without a parent, or those with one' })),
})
export type OrgUnitQuery = Static<typeof OrgUnitQuery>

export const ChildQuery = listQuery(['name', 'created_at'], 'name', filters)
export type ChildQuery = Static<typeof ChildQuery>

export const OrgUnitParams = strictObject({ id: IdText })

export const NewOrgUnit = strictObject({
  name,
  description: Type.Optional(description),
  parent_id: Type.Optional(parentId),
})
export type NewOrgUnit = Static<typeof NewOrgUnit>

export const OrgUnitChange = strictObject(
  {
    name: Type.Optional(name),
    description: Type.Optional(nullable(description)),
    parent_id: Type.Optional(parentId),
  },
  {
    minProperties: 1,
    description:
      'A merge patch (RFC 7396). `parent_id` moves the unit with all that is below it; null moves it to the top',
  },
)
export type OrgUnitChange = Static<typeof OrgUnitChange>

export const mostUnitsOfTree = 5_000

export const OrgUnitTree = Type.Object({
  items: Type.Array(
    Type.Object({
      id: IdText,
      name: Type.String({ examples: ['Sales'] }),
      parent_id: nullable(Type.String({ description: 'Null at the top' })),
      level,
    }),
    { description: 'Each unit right before what is below it; those of one parent by name' },
  ),
  is_complete: Type.Boolean({
    description: `False where there are more than ${mostUnitsOfTree} units: the lowest levels are left out then, and \`/org-units/{id}/tree\` of a unit gives what is below it`,
    examples: [true],
  }),
})
export type OrgUnitTree = Static<typeof OrgUnitTree>
