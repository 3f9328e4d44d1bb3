import { IdText, Moment, nullable, strictObject } from '@signet/http'
import { type Static, Type } from 'typebox'
import { listQuery } from '../lists/index.ts'

const Members = (what: string) =>
  nullable(
    Type.Record(Type.String(), Type.Unknown(), {
      description: `The members that changed, as they ${what}. Never a secret.`,
      examples: [{ status: what === 'were' ? 'active' : 'suspended' }],
    }),
  )

const anId = '0198a0c0-0000-7000-8000-000000000001'

export const AuditEventView = Type.Object({
  id: IdText,
  at: Moment,
  action: Type.String({ description: 'What happened, in the past tense', examples: ['user.suspended'] }),
  actor_id: nullable(
    Type.String({
      description: 'The person who did it; null where nobody had signed in, or it was done in another tenant',
      examples: [anId],
    }),
  ),
  actor_name: nullable(
    Type.String({
      description: 'What the person is called here now; null for whoever is at home elsewhere or is gone',
      examples: ['Ada Lovelace'],
    }),
  ),
  session_id: nullable(Type.String({ examples: [anId] })),
  target_type: nullable(Type.String({ examples: ['user'] })),
  target_id: nullable(Type.String({ examples: [anId] })),
  before: Members('were'),
  after: Members('are'),
  ip: nullable(Type.String({ examples: ['192.0.2.1'] })),
  user_agent: nullable(Type.String({ description: 'What the device called itself', examples: ['curl/8.14.1'] })),
  request_id: nullable(Type.String({ description: 'The `x-request-id` of the request that did it', examples: [anId] })),
})
export type AuditEventView = Static<typeof AuditEventView>

const filters = {
  q: Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: 100,
      description: 'Part of the action, target, address or device, in any case',
    }),
  ),
  actor_id: Type.Optional(IdText),
  action: Type.Optional(
    Type.String({
      pattern: '^[a-z-]{1,60}(?:\\.(?:\\*|[a-z-]{1,60}))?$',
      description: 'One action, or all that begin so: `user.*`',
      examples: ['user.suspended'],
    }),
  ),
  target_type: Type.Optional(Type.String({ minLength: 1, maxLength: 100 })),
  target_id: Type.Optional(Type.String({ minLength: 1, maxLength: 200 })),
  session_id: Type.Optional(IdText),
  request_id: Type.Optional(IdText),
  from: Type.Optional(Type.String({ format: 'date-time', description: 'At this time or later' })),
  to: Type.Optional(Type.String({ format: 'date-time', description: 'Before this time' })),
}

export const AuditQuery = listQuery(['at'], '-at', filters)
export type AuditQuery = Static<typeof AuditQuery>

export const AuditExportQuery = strictObject({
  sort: Type.Enum(['at', '-at'], { default: 'at', description: 'The oldest first, or the latest' }),
  ...filters,
})
export type AuditExportQuery = Static<typeof AuditExportQuery>

export const AuditEventParams = Type.Object({ id: IdText })
