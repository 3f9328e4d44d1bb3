import { strictObject } from '@signet/http'
import { type Static, Type } from 'typebox'
import { Password, TenantSlug } from '../../person-fields.ts'

const Identifier = Type.String({ minLength: 1, maxLength: 320 })

export const SignInRequest = strictObject(
  {
    email: Type.Optional(Identifier),
    username: Type.Optional(Identifier),
    phone: Type.Optional(Identifier),
    identifier: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 320,
        description: 'An e-mail address (has an @), a phone number (begins with +) or a username',
      }),
    ),
    password: Password,
    tenant: Type.Optional(TenantSlug),
    cookies: Type.Optional(Type.Boolean({ description: 'True puts the tokens into cookies instead of the answer' })),
  },
  {
    description: 'Exactly one of email, username, phone and identifier',
    examples: [{ email: 'ada@example.com', password: 'correct horse battery staple' }],
  },
)
export type SignInRequest = Static<typeof SignInRequest>
