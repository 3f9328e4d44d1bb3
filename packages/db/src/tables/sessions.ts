import { bigint, customType, integer, jsonb, pgTable, text, timestamp, uuid } from 'drizzle-orm/pg-core'
import type { AuditEventId, SessionId, TenantId, UserId } from '@signet/kernel'

const moment = (name: string) => timestamp(name, { withTimezone: true })
const bytes = customType<{ data: Uint8Array; driverData: Uint8Array }>({ dataType: () => 'bytea' })

export const sessions = pgTable('sessions', {
  tenantId: uuid('tenant_id').$type<TenantId>().notNull(),
  id: uuid().$type<SessionId>().notNull(),
  userId: uuid('user_id').$type<UserId>().notNull(),
  amr: text().array().notNull(),
  ip: text(),
  userAgent: text('user_agent'),
  statusList: bigint('status_list', { mode: 'number' }).notNull(),
  statusIndex: integer('status_index').notNull(),
  authenticatedAt: moment('authenticated_at').notNull().defaultNow(),
  expiresAt: moment('expires_at').notNull(),
  endedAt: moment('ended_at'),
  endReason: text('end_reason'),
  actSub: uuid('act_sub').$type<UserId>(),
})

/** One row a session. Written by the SQL functions alone. */
export const refreshTokens = pgTable('refresh_tokens', {
  tenantId: uuid('tenant_id').$type<TenantId>().notNull(),
  sessionId: uuid('session_id').$type<SessionId>().notNull(),
  generation: integer().notNull().default(0),
  rotatedAt: moment('rotated_at').notNull().defaultNow(),
  expiresAt: moment('expires_at').notNull(),
})

/** Append-only: nobody whom the programs log in as may change or delete a row. */
export const auditEvents = pgTable('audit_events', {
  tenantId: uuid('tenant_id').$type<TenantId>().notNull(),
  id: uuid().$type<AuditEventId>().notNull(),
  at: moment('at').notNull().defaultNow(),
  action: text().notNull(),
  actorId: uuid('actor_id').$type<UserId>(),
  sessionId: uuid('session_id').$type<SessionId>(),
  targetType: text('target_type'),
  targetId: text('target_id'),
  before: jsonb().$type<Record<string, unknown>>(),
  after: jsonb().$type<Record<string, unknown>>(),
  ip: text(),
  requestId: uuid('request_id'),
  userAgent: text('user_agent'),
})

export const idempotencyKeys = pgTable('idempotency_keys', {
  tenantId: uuid('tenant_id').$type<TenantId>().notNull(),
  userId: uuid('user_id').$type<UserId>().notNull(),
  key: text().notNull(),
  fingerprint: bytes().notNull(),
  status: integer(),
  headers: jsonb().$type<Record<string, string>>(),
  body: jsonb().$type<unknown>(),
  createdAt: moment('created_at').notNull().defaultNow(),
})
