import { IdText, Moment, nullable, strictObject } from '@signet/http'
import { type Static, Type } from 'typebox'
import { listQuery, SearchText } from '../lists/index.ts'
import { EmailAddress, RoleIds } from '../memberships/index.ts'

const Phone = Type.String({ pattern: '^\\+[1-9]\\d{6,14}$', description: 'E.164', examples: ['+4915112345678'] })
// No @ and no plus at the start: an identifier tells by its form what it is.
const Username = Type.String({
  pattern: '^[A-Za-z0-9]([A-Za-z0-9._-]{0,62}[A-Za-z0-9])?$',
  description: 'Letters, digits, dot, hyphen and underscore; unique in its tenant in any case',
  examples: ['ada'],
})
// Line breaks and other control characters have no place in a name, and much to do in a mail header.
export const PersonName = Type.String({
  minLength: 1,
  maxLength: 200,
  pattern: '^[^\\p{Cc}]*$',
  examples: ['Ada Lovelace'],
})
const Language = Type.Enum(['en', 'fr'], { description: 'Of messages to this person' })
/** Its rules are in the service, so that each of them has a problem of its own. */
export const Password = Type.String({
  minLength: 1,
  description: 'Without one the person cannot sign in by password',
  examples: ['correct horse battery staple'],
})

export const UserView = Type.Object({
  id: IdText,
  tenant_id: IdText,
  kind: Type.Enum(['user', 'client', 'sub_client']),
  email: nullable(Type.String({ examples: ['ada@example.com'] })),
  email_verified_at: nullable(Moment),
  phone: nullable(Type.String({ examples: ['+4915112345678'] })),
  phone_verified_at: nullable(Moment),
  username: nullable(Type.String({ examples: ['ada'] })),
  name: nullable(Type.String({ examples: ['Ada Lovelace'] })),
  first_name: nullable(Type.String({ examples: ['Ada'] })),
  last_name: nullable(Type.String({ examples: ['Lovelace'] })),
  language: Language,
  has_avatar: Type.Boolean({ description: 'At `/admin/v1/users/{id}/avatar`' }),
  status: Type.Enum(['active', 'suspended']),
  created_at: Moment,
  updated_at: Moment,
})
export type UserView = Static<typeof UserView>

export const UserQuery = listQuery(['created_at', 'name', 'email', 'username'], '-created_at', {
  q: SearchText,
  email: Type.Optional(EmailAddress),
  username: Type.Optional(Username),
  phone: Type.Optional(Phone),
  status: Type.Optional(Type.Enum(['active', 'suspended'])),
})
export type UserQuery = Static<typeof UserQuery>

export const UserParams = strictObject({ id: IdText })

export const NewUser = strictObject(
  {
    email: Type.Optional(EmailAddress),
    phone: Type.Optional(Phone),
    username: Type.Optional(Username),
    password: Type.Optional(Password),
    name: Type.Optional(PersonName),
    first_name: Type.Optional(PersonName),
    last_name: Type.Optional(PersonName),
    language: Type.Optional(Language),
    role_ids: Type.Optional(RoleIds),
  },
  { description: 'One of e-mail, phone and username is required' },
)
export type NewUser = Static<typeof NewUser>

export const UserChange = strictObject(
  {
    email: Type.Optional(nullable(EmailAddress)),
    phone: Type.Optional(nullable(Phone)),
    username: Type.Optional(nullable(Username)),
    name: Type.Optional(nullable(PersonName)),
    first_name: Type.Optional(nullable(PersonName)),
    last_name: Type.Optional(nullable(PersonName)),
    language: Type.Optional(Language),
  },
  { minProperties: 1, description: 'A merge patch (RFC 7396): absent members stay, null clears' },
)
export type UserChange = Static<typeof UserChange>

export const TemporaryPassword = Type.Object({
  temporary_password: Type.String({
    description: 'Shown this once. It has to be changed before anything else',
    examples: ['k7mw-2xqd-9tfa-hb4e'],
  }),
})

export const EffectivePermissions = Type.Object({
  items: Type.Array(
    Type.Object({
      code: Type.String({ examples: ['invoices:read'] }),
      sources: Type.Array(
        Type.Object({ type: Type.Literal('role'), id: IdText, name: Type.String({ examples: ['billing'] }) }),
      ),
    }),
  ),
  next_cursor: Type.Null({ description: 'Always null: all of them fit on one page' }),
})
export type EffectivePermissions = Static<typeof EffectivePermissions>
