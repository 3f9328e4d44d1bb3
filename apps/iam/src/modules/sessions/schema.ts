import { IdText, Moment, nullable, strictObject } from '@signet/http'
import { type Static, Type } from 'typebox'

const Session = strictObject({
  id: IdText,
  is_current: Type.Boolean({ description: 'The session of the token that asked' }),
  tenant: strictObject({
    id: IdText,
    slug: Type.String({ examples: ['acme'] }),
    name: Type.String({ examples: ['Acme Mobility'] }),
  }),
  amr: Type.Array(Type.String(), { description: 'How the person signed in (RFC 8176)', examples: [['pwd']] }),
  ip: nullable(Type.String({ examples: ['203.0.113.7'] })),
  user_agent: nullable(Type.String()),
  authenticated_at: Moment,
  last_used_at: Moment,
  act: nullable(strictObject({ sub: IdText }, { description: 'The advisor who acts in this session' })),
  expires_at: Type.String({ format: 'date-time', description: 'When it ends unless it is refreshed' }),
})

export const SessionPage = strictObject({ items: Type.Array(Session), next_cursor: nullable(Type.String()) })
export type SessionPage = Static<typeof SessionPage>

export const SessionQuery = strictObject({
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 200, default: 50 })),
  cursor: Type.Optional(Type.String({ maxLength: 500 })),
})

export const SessionPath = strictObject({ id: IdText })
