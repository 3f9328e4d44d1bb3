import type {
  BrandId,
  CustomerId,
  OrgUnitId,
  PolicyId,
  PositionId,
  RoleId,
  SubcontractorId,
  TenantId,
  UserId,
} from '@signet/kernel'
import { bigint, boolean, integer, jsonb, pgTable, text, timestamp, uuid } from 'drizzle-orm/pg-core'

const moment = (name: string) => timestamp(name, { withTimezone: true })
const tenantId = uuid('tenant_id').$type<TenantId>().notNull()
const versioned = {
  createdAt: moment('created_at').notNull().defaultNow(),
  updatedAt: moment('updated_at').notNull().defaultNow(),
  version: integer().notNull().default(1),
}

export const orgUnits = pgTable('org_units', {
  tenantId,
  id: uuid().$type<OrgUnitId>().notNull(),
  parentId: uuid('parent_id').$type<OrgUnitId>(),
  name: text().notNull(),
  description: text().notNull().default(''),
  ...versioned,
})

export const positions = pgTable('positions', {
  tenantId,
  id: uuid().$type<PositionId>().notNull(),
  orgUnitId: uuid('org_unit_id').$type<OrgUnitId>(),
  title: text().notNull(),
  description: text().notNull().default(''),
  level: integer(),
  ...versioned,
})

export const customers = pgTable('customers', {
  tenantId,
  id: uuid().$type<CustomerId>().notNull(),
  name: text().notNull(),
  email: text(),
  contactPerson: text('contact_person'),
  phone: text(),
  address: text(),
  ...versioned,
})

export const subcontractors = pgTable('subcontractors', {
  tenantId,
  id: uuid().$type<SubcontractorId>().notNull(),
  name: text().notNull(),
  description: text().notNull().default(''),
  email: text(),
  contactPerson: text('contact_person'),
  phone: text(),
  address: text(),
  ...versioned,
})

export const brands = pgTable('brands', {
  tenantId,
  id: uuid().$type<BrandId>().notNull(),
  name: text().notNull(),
  logoUrl: text('logo_url'),
  primaryColor: text('primary_color'),
  ...versioned,
})

export const policies = pgTable('policies', {
  tenantId,
  id: uuid().$type<PolicyId>().notNull(),
  name: text().notNull(),
  description: text().notNull().default(''),
  /** Cedar text. */
  source: text().notNull(),
  /** The JSON form that the text was made of, where it was. */
  form: jsonb(),
  ...versioned,
})

/** What SQL has to know of each statement of a policy; `actions` null is every action. */
export const policyStatements = pgTable('policy_statements', {
  tenantId,
  policyId: uuid('policy_id').$type<PolicyId>().notNull(),
  number: integer().notNull(),
  line: integer().notNull(),
  effect: text().$type<'permit' | 'forbid'>().notNull(),
  actions: text().array(),
  /** Speaks of those the policy is attached to, else of everybody in the tenant. */
  isTemplate: boolean('is_template').notNull(),
  /** Speaks of one person: it cannot be attached to a role. */
  isForOne: boolean('is_for_one').notNull().default(false),
  /** Depends on more than who and which action. */
  isConditional: boolean('is_conditional').notNull(),
  /** May hold for one person and not for another. */
  isPersonal: boolean('is_personal').notNull(),
  /** Its condition depends on the roles of the person, whatever it is attached to. */
  readsRoles: boolean('reads_roles').notNull().default(false),
})

/** A policy on a person or on a role: one of the two is null. */
export const policyAttachments = pgTable('policy_attachments', {
  tenantId,
  policyId: uuid('policy_id').$type<PolicyId>().notNull(),
  userId: uuid('user_id').$type<UserId>(),
  roleId: uuid('role_id').$type<RoleId>(),
  createdAt: moment('created_at').notNull().defaultNow(),
})

/** Raised by the database whenever roles or policies of the tenant change. */
export const bundleVersions = pgTable('bundle_versions', {
  tenantId,
  version: bigint({ mode: 'number' }).notNull(),
})
