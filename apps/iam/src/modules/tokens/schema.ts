import { strictObject } from '@signet/http'
import { IdText } from '@signet/http'
import { type Static, Type } from 'typebox'

export const TokenAnswer = strictObject(
  {
    access_token: Type.Optional(
      Type.String({
        description: 'A JWT of type at+jwt (RFC 9068), signed with RS256. Absent where it is in a cookie',
      }),
    ),
    token_type: Type.Literal('Bearer'),
    expires_in: Type.Integer({ description: 'Seconds for which the access token is valid' }),
    refresh_token: Type.Optional(
      Type.String({ description: 'Used once, for the next pair of tokens. Absent where it is in a cookie' }),
    ),
    refresh_expires_in: Type.Integer({ description: 'Seconds after which the session ends unless it is refreshed' }),
    password_change_required: Type.Optional(
      Type.Boolean({ description: 'True where the password has to be changed before anything else' }),
    ),
  },
  { description: 'Tokens of a session' },
)
export type TokenAnswer = Static<typeof TokenAnswer>

export const RefreshRequest = strictObject({
  refresh_token: Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: 1024,
      description: 'As the last answer gave it. Left out where it is in a cookie',
    }),
  ),
})

export const TenantTokenRequest = strictObject({ tenant_id: IdText })
