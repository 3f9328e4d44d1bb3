import type { ServiceId, ServiceKeyId } from '@signet/kernel'
import { customType, integer, jsonb, pgTable, text, timestamp, uuid } from 'drizzle-orm/pg-core'

const moment = (name: string) => timestamp(name, { withTimezone: true })
const bytes = customType<{ data: Uint8Array; driverData: Uint8Array }>({ dataType: () => 'bytea' })

/** Who may use a path of a service: everybody, everybody who is signed in, or whoever holds all of these permissions. */
export interface ServiceRoute {
  readonly path: string
  readonly methods: readonly string[]
  readonly access: 'public' | { readonly permissions: readonly string[] }
}

/** What stands behind the gateway: of the installation, not of a tenant. */
export const services = pgTable('services', {
  id: uuid().$type<ServiceId>().notNull(),
  name: text().notNull(),
  description: text().notNull().default(''),
  baseUrl: text('base_url').notNull(),
  healthUrl: text('health_url'),
  routes: jsonb().$type<readonly ServiceRoute[]>().notNull().default([]),
  createdAt: moment('created_at').notNull().defaultNow(),
  updatedAt: moment('updated_at').notNull().defaultNow(),
  version: integer().notNull().default(1),
})

export const serviceKeys = pgTable('service_keys', {
  id: uuid().$type<ServiceKeyId>().notNull(),
  serviceId: uuid('service_id').$type<ServiceId>().notNull(),
  name: text().notNull().default(''),
  keyHash: bytes('key_hash').notNull(),
  createdAt: moment('created_at').notNull().defaultNow(),
  expiresAt: moment('expires_at'),
  lastUsedAt: moment('last_used_at'),
})
