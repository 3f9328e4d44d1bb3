import { strictObject } from '@signet/http'
import { IdText } from '@signet/http'
import { type Static, Type } from 'typebox'

const refreshToken = 'rt_3pX0mZsV1c8Kq5uTnYw7Rd2LhE9aGbJf'

export const TokenAnswer = strictObject(
  {
    access_token: Type.Optional(
      Type.String({
        description: 'A JWT of type at+jwt (RFC 9068), signed with RS256. Absent where it is in a cookie',
        examples: ['eyJhbGciOiJSUzI1NiIsInR5cCI6ImF0K2p3dCJ9.eyJzdWIiOiIwMTk5YTNjNCJ9.c2lnbmF0dXJl'],
      }),
    ),
    token_type: Type.Literal('Bearer'),
    expires_in: Type.Integer({ description: 'Seconds for which the access token is valid', examples: [900] }),
    refresh_token: Type.Optional(
      Type.String({
        description: 'Used once, for the next pair of tokens. Absent where it is in a cookie',
        examples: [refreshToken],
      }),
    ),
    refresh_expires_in: Type.Integer({
      description: 'Seconds after which the session ends unless it is refreshed',
      examples: [432_000],
    }),
    password_change_required: Type.Optional(
      Type.Boolean({
        description: 'True where the password has to be changed before anything else',
        examples: [false],
      }),
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
      examples: [refreshToken],
    }),
  ),
})

export const TenantTokenRequest = strictObject({ tenant_id: IdText })
