import { type Static, Type } from 'typebox'
import { IdText } from '@signet/http'
import { normalizePhone } from '@signet/accounts'
import { problem } from '@signet/kernel'
import { EmailAddress } from '../../modules/memberships/index.ts'
import { FirstName, Language, LastName, Password } from '../../modules/users/index.ts'
import { CompanyRef, looseMembers } from './bodies.ts'

const members = looseMembers({
  first_name: FirstName,
  last_name: LastName,
  phone_number: Type.String({ minLength: 1, maxLength: 40, examples: ['+4915112345678'] }),
  language: Language,
  is_active: Type.Boolean(),
  position_id: IdText,
})

export const NewUserBody = Type.Object({ email: EmailAddress, password: Password, ...members, ...CompanyRef })
export const UserBody = Type.Object({
  ...looseMembers({ email: EmailAddress }),
  ...members,
  ...CompanyRef,
  password: Type.Optional(Type.Unknown({ description: 'Refused: a password is not changed here' })),
})
export type UserBody = Static<typeof UserBody>

/** Numbers as people write them, in the form in which they are kept. @throws Problem `invalid-input` */
export function readPhone(text: string | null | undefined): string | null | undefined {
  if (text === null || text === undefined) return text
  const phone = normalizePhone(text)
  if (phone !== undefined) return phone
  const message = 'must be a number with + and the country code'
  throw problem('invalid-input', undefined, { errors: [{ pointer: '/phone_number', message }] })
}
