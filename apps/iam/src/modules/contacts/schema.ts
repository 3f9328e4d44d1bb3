import { strictObject } from '@signet/http'
import { type Static, Type } from 'typebox'
import { Code, Email, Phone } from '../../person-fields.ts'

const description = 'Exactly one of email and phone'

export const ContactRequest = strictObject(
  { email: Type.Optional(Email), phone: Type.Optional(Phone) },
  { description, examples: [{ email: 'ada@example.com' }] },
)
export type ContactRequest = Static<typeof ContactRequest>

export const ContactRequested = strictObject({
  message: Type.String({ examples: ['If a code can be sent there, it is on its way.'] }),
})

export const ContactConfirmation = strictObject(
  { email: Type.Optional(Email), phone: Type.Optional(Phone), code: Code },
  { description, examples: [{ email: 'ada@example.com', code: '042137' }] },
)
export type ContactConfirmation = Static<typeof ContactConfirmation>
