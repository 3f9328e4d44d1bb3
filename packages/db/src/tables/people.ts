import { boolean, integer, jsonb, pgTable, pgView, text, timestamp, uuid } from 'drizzle-orm/pg-core'
import type { BrandId, MembershipId, PositionId, TenantId, UserId } from '@signet/kernel'

/** What a tenant decides for itself. */
export interface TenantSettings {
  /** May anybody create an account here? Absent means no. */
  readonly self_registration?: boolean
  readonly profile?: TenantProfile
}

/** What a company says of itself on its letters. */
export interface TenantProfile {
  readonly description?: string
  readonly website?: string
  readonly phone?: string
  readonly email?: string
  readonly address?: string
  readonly postal_code?: string
  readonly city?: string
  readonly country?: string
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
  /** Names the image in the storage. */
  logoKey: text('logo_key'),
  brandId: uuid('brand_id').$type<BrandId>(),
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
  /** The client of a sub-client. */
  parentId: uuid('parent_id').$type<UserId>(),
  /** Suspended by the suspension of its client, with which it comes back. */
  isSuspendedWithClient: boolean('is_suspended_with_client').notNull().default(false),
  /** Names the image in the storage. */
  avatarKey: text('avatar_key'),
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
  positionId: uuid('position_id').$type<PositionId>(),
  /** Of an advisor. */
  brandId: uuid('brand_id').$type<BrandId>(),
})
