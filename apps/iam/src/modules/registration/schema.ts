import { strictObject } from '@signet/http'
import { type Static, Type } from 'typebox'
import { personMembers } from '../../person-answer.ts'
import { Email, FirstName, LastName, Password, PersonName, Phone, TenantSlug, Username } from '../../person-fields.ts'

export const RegistrationRequest = strictObject(
  {
    email: Type.Optional(Email),
    username: Type.Optional(Username),
    phone: Type.Optional(Phone),
    password: Password,
    name: Type.Optional(PersonName),
    first_name: Type.Optional(FirstName),
    last_name: Type.Optional(LastName),
    tenant: Type.Optional(TenantSlug),
  },
  { description: 'At least one of email and username' },
)
export type RegistrationRequest = Static<typeof RegistrationRequest>

export const RegisteredUser = strictObject(personMembers)
export type RegisteredUser = Static<typeof RegisteredUser>
