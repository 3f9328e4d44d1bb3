import { strictObject } from '@signet/http'
import { type Static, Type } from 'typebox'
import { Code, Email, Phone } from '../../person-fields.ts'

const description = 'Exactly one of email and phone'

export const ContactRequest = strictObject(
  { email: Type.Optional(Email), phone: Type.Optional(Phone) },
  { description },
)
export type ContactRequest = Static<typeof ContactRequest>

export const ContactRequested = strictObject({ message: Type.String() })

export const ContactConfirmation = strictObject(
  { email: Type.Optional(Email), phone: Type.Optional(Phone), code: Code },
  { description },
)
export type ContactConfirmation = Static<typeof ContactConfirmation>
