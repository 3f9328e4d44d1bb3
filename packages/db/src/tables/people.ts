import { boolean, integer, jsonb, pgTable, pgView, text, timestamp, uuid } from 'drizzle-orm/pg-core'
import type { MembershipId, TenantId, UserId } from '@signet/kernel'

/** What a tenant decides for itself. */
export interface TenantSettings {
  /** May anybody create an account here? Absent means no. */
  readonly self_registration?: boolean
}

const moment = (name: string) => timestamp(name, { withTimezone: true })

const tenantColumns = {
  id: uuid().$type<TenantId>().notNull(),
  slug: text().notNull(),
  name: text().notNull(),
  status: text().$type<'active' | 'suspended' | 'closed'>().notNull().default('active'),
  isPlatform: boolean('is_platform').notNull().default(false),
  settings: jsonb().$type<TenantSettings>().notNull().default({}),
  createdAt: moment('created_at').notNull().defaultNow(),
  updatedAt: moment('updated_at').notNull().defaultNow(),
  version: integer().notNull().default(1),
}

export const tenants = pgTable('tenants', tenantColumns)

/** Every tenant of the installation: for the platform's own administration alone. */
export const allTenants = pgView('all_tenants', tenantColumns).existing()

export const users = pgTable('users', {
  tenantId: uuid('tenant_id').$type<TenantId>().notNull(),
  id: uuid().$type<UserId>().notNull(),
  kind: text().$type<'user' | 'client' | 'sub_client'>().notNull().default('user'),
  email: text(),
  emailVerifiedAt: moment('email_verified_at'),
  phone: text(),
  phoneVerifiedAt: moment('phone_verified_at'),
  username: text(),
  name: text(),
  firstName: text('first_name'),
  lastName: text('last_name'),
  language: text().$type<'en' | 'fr'>().notNull().default('en'),
  status: text().$type<'active' | 'suspended' | 'deleted'>().notNull().default('active'),
  createdAt: moment('created_at').notNull().defaultNow(),
  updatedAt: moment('updated_at').notNull().defaultNow(),
  version: integer().notNull().default(1),
})

/** Read and written by packages/accounts alone. */
export const passwordCredentials = pgTable('password_credentials', {
  tenantId: uuid('tenant_id').$type<TenantId>().notNull(),
  userId: uuid('user_id').$type<UserId>().notNull(),
  hash: text().notNull(),
  mustChange: boolean('must_change').notNull().default(false),
  changedAt: moment('changed_at').notNull().defaultNow(),
})

export const memberships = pgTable('memberships', {
  tenantId: uuid('tenant_id').$type<TenantId>().notNull(),
  id: uuid().$type<MembershipId>().notNull(),
  userId: uuid('user_id').$type<UserId>(),
  invitedEmail: text('invited_email'),
  status: text().$type<'invited' | 'active'>().notNull().default('active'),
  createdAt: moment('created_at').notNull().defaultNow(),
  updatedAt: moment('updated_at').notNull().defaultNow(),
  version: integer().notNull().default(1),
})
