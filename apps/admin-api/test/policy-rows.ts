/** Policies as rows, for tests of what they do. Writing them over the API is the subject of other tests. */
import { inTenant } from '@signet/db'
import { newId, type PolicyId, type RoleId, type TenantId, type UserId } from '@signet/kernel'
import type { World } from './world.ts'

export interface PolicyRow {
  readonly name: string
  readonly source: string
  /** One for each statement of the source. */
  readonly statements: readonly StatementRow[]
  readonly users?: readonly UserId[]
  readonly roles?: readonly RoleId[]
}

export interface StatementRow {
  readonly line?: number
  readonly effect?: 'permit' | 'forbid'
  readonly actions?: readonly string[]
  readonly isTemplate?: boolean
  readonly isConditional?: boolean
  readonly isPersonal?: boolean
}

export async function addPolicy({ database }: World, tenantId: TenantId, policy: PolicyRow): Promise<PolicyId> {
  const { name, source, statements, users = [], roles = [] } = policy
  const id = newId<PolicyId>()
  await inTenant(database.db, tenantId, async ({ sql }) => {
    await sql`insert into policies (tenant_id, id, name, source) values (${tenantId}, ${id}, ${name}, ${source})`
    for (const [index, statement] of statements.entries()) {
      const { line = 1, effect = 'permit', actions, isTemplate = false, isConditional = false } = statement
      const { isPersonal = isTemplate } = statement
      await sql`
        insert into policy_statements values (${tenantId}, ${id}, ${index + 1}, ${line}, ${effect},
          ${actions === undefined ? null : [...actions]}::text[], ${isTemplate}, ${isConditional}, ${isPersonal})`
    }
    for (const userId of users) {
      await sql`insert into policy_attachments (tenant_id, policy_id, user_id) values (${tenantId}, ${id}, ${userId})`
    }
    for (const roleId of roles) {
      await sql`insert into policy_attachments (tenant_id, policy_id, role_id) values (${tenantId}, ${id}, ${roleId})`
    }
  })
  return id
}

/** Takes it away again with all that hangs on it. */
export async function dropPolicy({ database }: World, tenantId: TenantId, id: PolicyId): Promise<void> {
  await inTenant(database.db, tenantId, async ({ sql }) => {
    await sql`delete from policy_attachments where tenant_id = ${tenantId} and policy_id = ${id}`
    await sql`delete from policies where tenant_id = ${tenantId} and id = ${id}`
  })
}
