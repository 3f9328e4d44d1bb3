/** What people are called and how they are reached, as it is asked for. */
import { nullable } from '@signet/http'
import { Type } from 'typebox'
import { EmailAddress, RoleIds } from '../memberships/index.ts'

export const Phone = Type.String({
  pattern: '^\\+[1-9]\\d{6,14}$',
  description: 'E.164',
  examples: ['+4915112345678'],
})
// No @ and no plus at the start: an identifier tells by its form what it is.
export const Username = Type.String({
  pattern: '^[A-Za-z0-9]([A-Za-z0-9._-]{0,62}[A-Za-z0-9])?$',
  description: 'Letters, digits, dot, hyphen and underscore; unique in its tenant in any case',
  examples: ['ada'],
})
// Line breaks and other control characters have no place in a name, and much to do in a mail header.
const nameRules = { minLength: 1, maxLength: 200, pattern: '^[^\\p{Cc}]*$' }
export const PersonName = Type.String({ ...nameRules, examples: ['Ada Lovelace'] })
export const FirstName = Type.String({ ...nameRules, examples: ['Ada'] })
export const LastName = Type.String({ ...nameRules, examples: ['Lovelace'] })
export const Language = Type.Enum(['en', 'fr'], { description: 'Of messages to this person' })
export const PersonStatus = Type.Enum(['active', 'suspended'])
export const PersonKind = Type.Enum(['user', 'client', 'sub_client'])
/** Its rules are in the service, so that each of them has a problem of its own. */
export const Password = Type.String({
  minLength: 1,
  description: 'Without one the person cannot sign in by password',
  examples: ['correct horse battery staple'],
})

export const newPersonMembers = {
  email: Type.Optional(EmailAddress),
  phone: Type.Optional(Phone),
  username: Type.Optional(Username),
  password: Type.Optional(Password),
  name: Type.Optional(PersonName),
  first_name: Type.Optional(FirstName),
  last_name: Type.Optional(LastName),
  language: Type.Optional(Language),
  role_ids: Type.Optional(RoleIds),
}

export const personChangeMembers = {
  email: Type.Optional(nullable(EmailAddress)),
  phone: Type.Optional(nullable(Phone)),
  username: Type.Optional(nullable(Username)),
  name: Type.Optional(nullable(PersonName)),
  first_name: Type.Optional(nullable(FirstName)),
  last_name: Type.Optional(nullable(LastName)),
  language: Type.Optional(Language),
}
