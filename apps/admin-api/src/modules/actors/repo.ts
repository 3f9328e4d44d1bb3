import { type Database, runStatement, type TenantTx } from '@signet/db'
import type { PersonKind, TenantId, UserId } from '@signet/kernel'
import type { Caller } from '../../wire/caller.ts'

export interface ActorRow {
  readonly roles: string[]
  readonly kind: PersonKind
  readonly permissions: string[]
  readonly grantable: string[]
  readonly is_platform_staff: boolean
  readonly is_conditional: boolean
  readonly must_change: boolean
  readonly act_sub: UserId | null
}

/** Undefined when session, person, membership or tenant is over. */
export async function selectActor({ sql }: TenantTx, caller: Caller): Promise<ActorRow | undefined> {
  const [row] = await sql<ActorRow[]>`
    select roles, kind, permissions, grantable, is_platform_staff, is_conditional, must_change, act_sub
    from load_actor(${caller.userId}, ${caller.tenantId}, ${caller.sessionId})`
  return row
}

/** Undefined where the installation has no first administrator yet. */
export async function findPlatformTenant(database: Database): Promise<TenantId | undefined> {
  const [row] = await runStatement(database, sql => sql<[{ id: TenantId | null }]>`select platform_tenant() as id`)
  return row.id ?? undefined
}
