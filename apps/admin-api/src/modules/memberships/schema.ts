import { IdText, Moment, nullable, strictObject } from '@signet/http'
import { type Static, Type } from 'typebox'
import { listQuery, SearchText } from '../lists/index.ts'

const MembershipStatus = Type.Enum(['invited', 'active'])
const Text = nullable(Type.String())

/** A part of e-mail addresses that everybody agrees on; what a mail server makes of it, only mail tells. */
export const EmailAddress = Type.String({ format: 'email', maxLength: 254, examples: ['ada@example.com'] })

export const RoleIds = Type.Array(IdText, {
  maxItems: 50,
  uniqueItems: true,
  description: 'Roles of this tenant that hold no more than you do. Needs `memberships:modify` as well',
})

export const MembershipView = Type.Object({
  id: IdText,
  status: MembershipStatus,
  user_id: nullable(Type.String({ description: 'Null until the invitation is accepted' })),
  is_guest: Type.Boolean({ description: 'The person is at home in another tenant' }),
  email: Text,
  username: Text,
  name: Text,
  first_name: Text,
  last_name: Text,
  position: nullable(Type.Object({ id: IdText, title: Type.String({ examples: ['Head of sales'] }) })),
  org_unit: nullable(
    Type.Object(
      { id: IdText, name: Type.String({ examples: ['Sales'] }) },
      { description: 'The unit that the position is in' },
    ),
  ),
  brand_id: nullable(Type.String({ ...IdText, description: 'The brand that an advisor carries here' })),
  created_at: Moment,
  updated_at: Moment,
})
export type MembershipView = Static<typeof MembershipView>

const IdWithin = Type.String({ ...IdText, description: 'Those in a position of this unit, or of a unit below it' })

export const MembershipQuery = listQuery(['created_at'], '-created_at', {
  q: SearchText,
  status: Type.Optional(MembershipStatus),
  user_id: Type.Optional(IdText),
  is_guest: Type.Optional(Type.Boolean()),
  position_id: Type.Optional(IdText),
  org_unit_id: Type.Optional(IdWithin),
})
export type MembershipQuery = Static<typeof MembershipQuery>

export const MembershipParams = strictObject({ id: IdText })
export const AssignmentParams = strictObject({ id: IdText, role_id: IdText })

export const NewMembership = strictObject({ email: EmailAddress, role_ids: Type.Optional(RoleIds) })
export type NewMembership = Static<typeof NewMembership>

export const NewAssignment = strictObject({ role_id: IdText })

export const AssignedRole = Type.Object({
  id: IdText,
  name: Type.String({ examples: ['billing'] }),
  description: Type.String({ examples: ['Reads and writes invoices'] }),
  is_built_in: Type.Boolean(),
  assigned_at: Moment,
})
export type AssignedRole = Static<typeof AssignedRole>

export const AssignedRolePage = Type.Object({
  items: Type.Array(AssignedRole),
  next_cursor: Type.Null({ description: 'Always null: all of them fit on one page' }),
})
