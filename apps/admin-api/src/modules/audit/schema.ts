import { IdText, Moment, nullable } from '@signet/http'
import { type Static, Type } from 'typebox'
import { listQuery } from '../lists/index.ts'

const Members = nullable(Type.Record(Type.String(), Type.Unknown()))

export const AuditEventView = Type.Object({
  id: IdText,
  at: Moment,
  action: Type.String({ description: 'What happened, in the past tense', examples: ['user.suspended'] }),
  actor_id: nullable(Type.String({ description: 'The person who did it; null where nobody had signed in' })),
  session_id: nullable(Type.String()),
  target_type: nullable(Type.String({ examples: ['user'] })),
  target_id: nullable(Type.String()),
  before: Members,
  after: Members,
  ip: nullable(Type.String()),
  user_agent: nullable(Type.String({ description: 'What the device called itself' })),
  request_id: nullable(Type.String({ description: 'The `x-request-id` of the request that did it' })),
})
export type AuditEventView = Static<typeof AuditEventView>

export const AuditQuery = listQuery(['at'], '-at', {
  actor_id: Type.Optional(IdText),
  action: Type.Optional(Type.String({ minLength: 1, maxLength: 100, examples: ['user.suspended'] })),
  target_type: Type.Optional(Type.String({ minLength: 1, maxLength: 100 })),
  target_id: Type.Optional(Type.String({ minLength: 1, maxLength: 200 })),
  from: Type.Optional(Type.String({ format: 'date-time', description: 'At this time or later' })),
  to: Type.Optional(Type.String({ format: 'date-time', description: 'Before this time' })),
})
export type AuditQuery = Static<typeof AuditQuery>

export const AuditEventParams = Type.Object({ id: IdText })
