import { strictObject } from '@signet/http'
import { type Static, Type } from 'typebox'
import { Code, Email, Phone, TenantSlug } from '../../person-fields.ts'

const description = 'Exactly one of email and phone'

export const CodeRequestBody = strictObject(
  { email: Type.Optional(Email), phone: Type.Optional(Phone), tenant: Type.Optional(TenantSlug) },
  { description, examples: [{ email: 'ada@example.com' }] },
)
export type CodeRequestBody = Static<typeof CodeRequestBody>

export const CodeRequested = strictObject({
  message: Type.String({ examples: ['If a code can be sent there, it is on its way.'] }),
})

export const CodeVerification = strictObject(
  {
    email: Type.Optional(Email),
    phone: Type.Optional(Phone),
    code: Code,
    tenant: Type.Optional(TenantSlug),
    cookies: Type.Optional(Type.Boolean({ description: 'True puts the tokens into cookies instead of the answer' })),
  },
  { description, examples: [{ email: 'ada@example.com', code: '042137' }] },
)
export type CodeVerification = Static<typeof CodeVerification>
