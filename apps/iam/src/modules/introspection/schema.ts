import { IdText, strictObject } from '@signet/http'
import { type Static, Type } from 'typebox'

/** RFC 6749 section 3.2: what is not known is passed over, and nothing may come twice. */
export const TokenForm = Type.Object(
  {
    token: Type.String({
      minLength: 1,
      maxLength: 8_192,
      description: 'An access token or a refresh token',
      examples: ['eyJhbGciOiJSUzI1NiIsInR5cCI6ImF0K2p3dCJ9.eyJzdWIiOiIwMTk5YTNjNCJ9.c2lnbmF0dXJl'],
    }),
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
    examples: [
      {
        active: true,
        token_type: 'Bearer',
        client_id: 'signet',
        username: 'ada@example.com',
        exp: 1_793_620_800,
        iat: 1_793_619_900,
        sub: '0199a3c4-7d2e-7b61-9f0a-3c5d8e1f2a4b',
        aud: 'signet',
        iss: 'http://localhost:4000',
        jti: '0199a3c4-9b17-7e05-a6c2-8d4f1e0b3a72',
        sid: '0199a3c4-8a52-7f1d-b3e4-6c9a2d7f5e10',
        tid: '0199a3c4-1f00-7c33-8d21-5b6a7c8d9e0f',
        roles: ['member'],
        permissions: ['places:read'],
      },
    ],
  },
)
export type Introspection = Static<typeof Introspection>

export const OAuthError = Type.Object(
  {
    error: Type.String({ examples: ['invalid_request'] }),
    error_description: Type.String({ examples: ['The form has no token.'] }),
  },
  { description: 'RFC 6749 section 5.2' },
)

export const Nothing = {
  description: 'An empty body',
  content: { 'text/plain': { schema: Type.String({ maxLength: 0, examples: [''] }) } },
}
