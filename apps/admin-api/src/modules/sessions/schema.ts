import { IdText, Moment, nullable, strictObject } from '@signet/http'
import { type Static, Type } from 'typebox'

export const SessionView = Type.Object({
  id: IdText,
  tenant_id: Type.String({ ...IdText, description: 'The tenant that the person has entered with it' }),
  amr: Type.Array(Type.String({ examples: ['pwd'] }), { description: 'How the person signed in (RFC 8176)' }),
  ip: nullable(Type.String({ examples: ['192.0.2.1'] })),
  user_agent: nullable(Type.String({ examples: ['curl/8.14'] })),
  authenticated_at: Moment,
  last_used_at: Moment,
  expires_at: Type.String({ format: 'date-time', description: 'When it ends unless it is refreshed' }),
  act: nullable(Type.Object({ sub: IdText }, { description: 'The advisor who acts for the person in it' })),
})
export type SessionView = Static<typeof SessionView>

export const SessionQuery = strictObject({
  limit: Type.Integer({ minimum: 1, maximum: 200, default: 50, description: 'Rows a page' }),
  cursor: Type.Optional(Type.String({ maxLength: 2_000, description: '`next_cursor` of the page before' })),
})
export type SessionQuery = Static<typeof SessionQuery>

export const SessionsParams = strictObject({ id: IdText })
export const SessionParams = strictObject({ id: IdText, session_id: IdText })
