import { IdText, Moment, nullable } from '@signet/http'
import { type Static, Type } from 'typebox'
import type { OrgUnit } from '../../modules/org-units/index.ts'
import type { Position } from '../../modules/positions/index.ts'

const OptionalId = nullable(Type.String({ examples: ['0199a3c4-7d2e-7b61-9f0a-3c5d8e1f2a4b'] }))

export const UnitView = Type.Object({
  id: IdText,
  name: Type.String({ examples: ['Sales'] }),
  description: Type.String({ examples: ['Sells what the others make'] }),
  parent_id: OptionalId,
  path: Type.String({
    description: 'The ids from the top down to the unit itself, with a slash between them',
    examples: ['0199a3c4-7d2e-7b61-9f0a-3c5d8e1f2a4b'],
  }),
  level: Type.Integer({ description: 'How many units are above it', examples: [0] }),
  company_id: IdText,
  created_at: Moment,
  updated_at: Moment,
})

export function presentUnit(unit: OrgUnit): Static<typeof UnitView> {
  return {
    id: unit.id,
    name: unit.name,
    description: unit.description,
    parent_id: unit.parentId,
    path: unit.path.map(({ id }) => id).join('/'),
    level: unit.level,
    company_id: unit.tenantId,
    created_at: unit.createdAt.toISOString(),
    updated_at: unit.updatedAt.toISOString(),
  }
}

export const PositionView = Type.Object({
  id: IdText,
  title: Type.String({ examples: ['Head of sales'] }),
  description: Type.String({ examples: ['Leads those who sell'] }),
  level: nullable(Type.Integer({ examples: [3] })),
  organization_unit_id: OptionalId,
  company_id: IdText,
  created_at: Moment,
  updated_at: Moment,
})

export function presentPosition(position: Position): Static<typeof PositionView> {
  return {
    id: position.id,
    title: position.title,
    description: position.description,
    level: position.level,
    organization_unit_id: position.orgUnitId,
    company_id: position.tenantId,
    created_at: position.createdAt.toISOString(),
    updated_at: position.updatedAt.toISOString(),
  }
}
