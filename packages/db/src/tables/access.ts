import { boolean, integer, pgTable, text, timestamp, uuid } from 'drizzle-orm/pg-core'
import type { MembershipId, RoleId, TenantId } from '@signet/kernel'

const moment = (name: string) => timestamp(name, { withTimezone: true })

/** The catalogue: of the installation, not of a tenant. */
export const permissions = pgTable('permissions', {
  code: text().notNull(),
  service: text().notNull(),
  description: text().notNull().default(''),
  isPlatform: boolean('is_platform').notNull().default(false),
  createdAt: moment('created_at').notNull().defaultNow(),
  updatedAt: moment('updated_at').notNull().defaultNow(),
  version: integer().notNull().default(1),
})

export const roles = pgTable('roles', {
  tenantId: uuid('tenant_id').$type<TenantId>().notNull(),
  id: uuid().$type<RoleId>().notNull(),
  name: text().notNull(),
  description: text().notNull().default(''),
  isBuiltIn: boolean('is_built_in').notNull().default(false),
  /** The permissions that are listed; all of a tenant's, those to come included; all. */
  holds: text().$type<'listed' | 'tenant' | 'all'>().notNull().default('listed'),
  createdAt: moment('created_at').notNull().defaultNow(),
  updatedAt: moment('updated_at').notNull().defaultNow(),
  version: integer().notNull().default(1),
})

export const rolePermissions = pgTable('role_permissions', {
  tenantId: uuid('tenant_id').$type<TenantId>().notNull(),
  roleId: uuid('role_id').$type<RoleId>().notNull(),
  permissionCode: text('permission_code').notNull(),
})

export const membershipRoles = pgTable('membership_roles', {
  tenantId: uuid('tenant_id').$type<TenantId>().notNull(),
  membershipId: uuid('membership_id').$type<MembershipId>().notNull(),
  roleId: uuid('role_id').$type<RoleId>().notNull(),
  createdAt: moment('created_at').notNull().defaultNow(),
})
