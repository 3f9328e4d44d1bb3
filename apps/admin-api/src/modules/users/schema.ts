import { IdText, nullable, strictObject } from '@signet/http'
import { type Static, Type } from 'typebox'
import { listQuery, SearchText } from '../lists/index.ts'
import { EmailAddress } from '../memberships/index.ts'
import { newPersonMembers, personChangeMembers, PersonKind, PersonStatus, Phone, Username } from './person-fields.ts'
import { personMembers } from './person-view.ts'

export const UserView = Type.Object({
  ...personMembers,
  parent_id: nullable(Type.String({ description: 'The client of a sub-client' })),
})
export type UserView = Static<typeof UserView>

export const UserFilters = {
  q: SearchText,
  email: Type.Optional(EmailAddress),
  username: Type.Optional(Username),
  phone: Type.Optional(Phone),
  status: Type.Optional(PersonStatus),
  kind: Type.Optional(PersonKind),
}

export const UserQuery = listQuery(['created_at', 'name', 'email', 'username'], '-created_at', UserFilters)
export type UserQuery = Static<typeof UserQuery>

export const UserParams = strictObject({ id: IdText })

export const NewUser = strictObject(newPersonMembers, {
  description: 'One of e-mail, phone and username is required',
})
export type NewUser = Static<typeof NewUser>

export const UserChange = strictObject(personChangeMembers, {
  minProperties: 1,
  description: 'A merge patch (RFC 7396): absent members stay, null clears',
})
export type UserChange = Static<typeof UserChange>

export const TemporaryPassword = Type.Object({
  temporary_password: Type.String({
    description: 'Shown this once. It has to be changed before anything else',
    examples: ['k7mw-2xqd-9tfa-hb4e'],
  }),
})

const role = { type: Type.Literal('role'), id: IdText, name: Type.String({ examples: ['billing'] }) }
const policy = {
  type: Type.Literal('policy'),
  id: IdText,
  name: Type.String({ examples: ['own invoices'] }),
  statement: Type.Integer({ description: 'Of the policy, 1 for the first', examples: [1] }),
  line: Type.Integer({ description: 'Of its text', examples: [2] }),
  conditional: Type.Boolean({ description: 'A condition decides whether it holds', examples: [true] }),
}
const client = { type: Type.Literal('client'), id: IdText, conditional: policy.conditional }

export const EffectivePermissions = Type.Object({
  items: Type.Array(
    Type.Object({
      code: Type.String({ examples: ['invoices:read'] }),
      state: Type.Union([Type.Literal('permitted'), Type.Literal('conditional'), Type.Literal('withheld')], {
        description: '`conditional`: conditions of policies decide each time that somebody asks',
        examples: ['permitted'],
      }),
      sources: Type.Array(Type.Union([Type.Object(role), Type.Object(policy)]), { description: 'All that gives it' }),
      withheld_by: Type.Array(Type.Union([Type.Object(policy), Type.Object(client)]), {
        description: 'Forbids, and the client whom a sub-client never surpasses',
      }),
    }),
    { description: 'In alphabetical order; none for somebody who is suspended' },
  ),
  next_cursor: Type.Null({ description: 'Always null: all of them fit on one page' }),
})
export type EffectivePermissions = Static<typeof EffectivePermissions>
