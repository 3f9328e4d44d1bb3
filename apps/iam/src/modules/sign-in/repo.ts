import { type Database, runStatement } from '@signet/db'
import type { TenantId, UserId } from '@signet/kernel'
import type { RequestFacts } from '../../deps.ts'

/** One of the three. */
export interface PersonIdentifier {
  readonly email: string | null
  readonly username: string | null
  readonly phone: string | null
}

export interface SignInRow {
  readonly userId: UserId
  readonly homeTenantId: TenantId
  /** Where they would be signed in; null without a membership there. */
  readonly tenantId: TenantId | null
  readonly hash: string | null
  /** Why this person may not sign in, whatever the password; null where they may. */
  readonly refusal: string | null
}

/** The person behind an identifier, also one who may not sign in. */
export async function findSignIn(
  database: Database,
  { email, username, phone }: PersonIdentifier,
  tenant: string | undefined,
  defaultTenant: string | undefined,
): Promise<SignInRow | undefined> {
  const [row] = await runStatement(
    database,
    sql => sql<SignInRow[]>`
      select user_id as "userId", home_tenant_id as "homeTenantId", tenant_id as "tenantId", hash, refusal
      from find_sign_in(${email}, ${username}, ${phone}, ${tenant ?? null},
        coalesce(${defaultTenant ?? null}, (select slug from all_tenants where not is_platform order by created_at, id limit 1)))`,
  )
  return row
}

/** Into the tenant that was meant, the person's own, or the platform where nobody is known. */
export async function recordFailure(
  database: Database,
  {
    tenantId,
    userId,
    reason,
  }: { readonly tenantId: TenantId | null; readonly userId: UserId | null; readonly reason: string },
  request: RequestFacts,
): Promise<void> {
  await runStatement(
    database,
    sql => sql`
      select record_event(${tenantId}, 'sign-in.failed', null, null, 'user', ${userId}, ${sql.json({ reason })}, ${request.ip}, ${request.id})`,
  )
}
