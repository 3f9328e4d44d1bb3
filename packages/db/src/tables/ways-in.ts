import { customType, integer, pgTable, text, timestamp, uuid } from 'drizzle-orm/pg-core'
import type { ClientTokenId, MessageId, TenantId, UserId } from '@signet/kernel'

const moment = (name: string) => timestamp(name, { withTimezone: true })
const bytes = customType<{ data: Uint8Array; driverData: Uint8Array }>({ dataType: () => 'bytea' })

/** Attempts by subject and kind. Counted by SQL functions alone; the programs only take counters away. */
export const accountCounters = pgTable('account_counters', {
  tenantId: uuid('tenant_id').$type<TenantId>().notNull(),
  subject: uuid().notNull(),
  kind: text().notNull(),
})

/** Devices that have signed in. Remembered and counted by SQL functions alone; the programs only take failures away. */
export const knownDevices = pgTable('known_devices', {
  tenantId: uuid('tenant_id').$type<TenantId>().notNull(),
  userId: uuid('user_id').$type<UserId>().notNull(),
  failures: integer().notNull().default(0),
  taken: integer().notNull().default(0),
})

/** The outbox. Written in the transaction that caused the message; the worker's functions do the rest. */
export const outboundMessages = pgTable('outbound_messages', {
  tenantId: uuid('tenant_id').$type<TenantId>().notNull(),
  id: uuid().$type<MessageId>().notNull(),
  channel: text().$type<'email' | 'sms' | 'event'>().notNull(),
  userId: uuid('user_id').$type<UserId>(),
  recipient: text().notNull(),
  template: text().notNull(),
  payload: bytes(),
  expiresAt: moment('expires_at'),
})

export const advisorClients = pgTable('advisor_clients', {
  tenantId: uuid('tenant_id').$type<TenantId>().notNull(),
  advisorId: uuid('advisor_id').$type<UserId>().notNull(),
  userId: uuid('user_id').$type<UserId>().notNull(),
  createdAt: moment('created_at').notNull().defaultNow(),
})

export const clientTokens = pgTable('client_tokens', {
  tenantId: uuid('tenant_id').$type<TenantId>().notNull(),
  id: uuid().$type<ClientTokenId>().notNull(),
  kind: text().$type<'access' | 'invitation'>().notNull(),
  advisorId: uuid('advisor_id').$type<UserId>().notNull(),
  userId: uuid('user_id').$type<UserId>(),
  invitedEmail: text('invited_email'),
  invitedName: text('invited_name'),
  purpose: text(),
  tokenHash: bytes('token_hash').notNull(),
  createdAt: moment('created_at').notNull().defaultNow(),
  expiresAt: moment('expires_at').notNull(),
  redeemedAt: moment('redeemed_at'),
  withdrawnAt: moment('withdrawn_at'),
})
