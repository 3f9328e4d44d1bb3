import { IdText, Moment, nullable, strictObject } from '@signet/http'
import { type Static, Type } from 'typebox'

// In the client's mail and list: line breaks are fine there, other control characters are not.
export const Purpose = Type.String({
  minLength: 1,
  maxLength: 500,
  pattern: '^(?:[^\\p{Cc}]|[\\t\\r\\n])*$',
  description: 'What for, in words for the client',
  examples: ['To go through your contracts together'],
})

const clientToken = 'ct_9fWq2LrT7yHs4Vd1KbXe8ZmN3uGcPa6J'

export const ClientTokenRequest = strictObject({
  user_id: Type.String({ ...IdText, description: 'A person who is assigned to you' }),
  purpose: Type.Optional(Purpose),
  expires_in: Type.Optional(Type.Integer({ minimum: 60, maximum: 86_400, default: 900, description: 'Seconds' })),
  notify: Type.Optional(Type.Boolean({ default: false, description: 'Also mail it to the client' })),
})
export type ClientTokenRequest = Static<typeof ClientTokenRequest>

export const CreatedClientToken = strictObject({
  id: IdText,
  token: Type.String({ description: 'Shown this once', examples: [clientToken] }),
  expires_at: Moment,
})
export type CreatedClientToken = Static<typeof CreatedClientToken>

const ClientTokenView = strictObject({
  id: IdText,
  kind: Type.Enum(['access', 'invitation']),
  status: Type.Enum(['live', 'redeemed', 'withdrawn', 'expired']),
  user_id: nullable(Type.String({ description: 'The client; null for an invitation until it is redeemed' })),
  email: nullable(Type.String({ description: 'The invited address' })),
  name: nullable(Type.String({ description: 'The invited person, as they were called' })),
  purpose: nullable(Type.String()),
  created_at: Moment,
  expires_at: Moment,
  redeemed_at: nullable(Moment),
  withdrawn_at: nullable(Moment),
})
export const ClientTokenPage = strictObject({
  items: Type.Array(ClientTokenView),
  next_cursor: nullable(Type.String()),
})
export type ClientTokenPage = Static<typeof ClientTokenPage>

export const ClientTokenQuery = strictObject({
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 200, default: 50 })),
  cursor: Type.Optional(Type.String({ maxLength: 500 })),
})

export const ClientTokenPath = strictObject({ id: IdText })

export const Redemption = strictObject({
  token: Type.String({
    minLength: 1,
    maxLength: 200,
    description: 'As the advisor or the mail gave it',
    examples: [clientToken],
  }),
  cookies: Type.Optional(Type.Boolean({ description: 'True puts the tokens into cookies instead of the answer' })),
})
export type Redemption = Static<typeof Redemption>
