import { strictObject } from '@signet/http'
import { type Static, Type } from 'typebox'
import { TenantSlug } from '../../person-fields.ts'

const Key = Type.String({
  minLength: 16,
  maxLength: 128,
  description: 'Kept as a hash alone',
  examples: ['seven quiet herons over the weir'],
})

export const RefreshKeyChange = strictObject({ key: Key })
export type RefreshKeyChange = Static<typeof RefreshKeyChange>

export const RefreshKeySignIn = strictObject({
  identifier: Type.String({
    minLength: 1,
    maxLength: 320,
    description: 'An e-mail address (has an @), a phone number (begins with +) or a username',
    examples: ['ada@example.com'],
  }),
  key: Type.String({ minLength: 1, maxLength: 128, examples: ['seven quiet herons over the weir'] }),
  tenant: Type.Optional(TenantSlug),
  cookies: Type.Optional(Type.Boolean({ description: 'True puts the tokens into cookies instead of the answer' })),
})
export type RefreshKeySignIn = Static<typeof RefreshKeySignIn>
