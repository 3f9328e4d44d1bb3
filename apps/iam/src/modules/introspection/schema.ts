import { IdText, strictObject } from '@signet/http'
import { type Static, Type } from 'typebox'

/** RFC 6749 section 3.2: what is not known is passed over, and nothing may come twice. */
export const TokenForm = Type.Object(
  {
    token: Type.String({ minLength: 1, maxLength: 8_192, description: 'An access token or a refresh token' }),
    token_type_hint: Type.Optional(Type.String({ description: 'Not needed: a token tells what it is' })),
  },
  { additionalProperties: Type.String() },
)

const texts = Type.Array(Type.String())

export const Introspection = Type.Object(
  {
    active: Type.Boolean(),
    token_type: Type.Optional(
      Type.String({ description: '`Bearer` for an access token, `refresh_token` for what opens nothing by itself' }),
    ),
    client_id: Type.Optional(Type.String()),
    username: Type.Optional(Type.String({ description: 'What the person is called by, for people to read' })),
    exp: Type.Optional(Type.Integer()),
    iat: Type.Optional(Type.Integer()),
    sub: Type.Optional(IdText),
    aud: Type.Optional(Type.String()),
    iss: Type.Optional(Type.String()),
    jti: Type.Optional(Type.String()),
    sid: Type.Optional(IdText),
    tid: Type.Optional(IdText),
    roles: Type.Optional(texts),
    permissions: Type.Optional(texts),
    act: Type.Optional(strictObject({ sub: IdText })),
  },
  {
    description:
      'RFC 7662 section 2.2; roles and permissions as they are now. `{ "active": false }` and no more for all else',
  },
)
export type Introspection = Static<typeof Introspection>

export const OAuthError = Type.Object(
  { error: Type.String(), error_description: Type.String() },
  { description: 'RFC 6749 section 5.2' },
)

export const Nothing = {
  description: 'An empty body',
  content: { 'text/plain': { schema: Type.String({ maxLength: 0 }) } },
}
