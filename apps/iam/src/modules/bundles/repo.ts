import { type Database, runStatement } from '@signet/db'
import type { TenantId } from '@signet/kernel'

/** The bundle of a tenant as `load_bundle` gives it. */
export interface StoredBundle {
  readonly version: number
  readonly permissions: readonly string[]
  readonly roles: readonly { readonly id: string; readonly name: string; readonly permissions: readonly string[] }[]
  readonly policies: readonly StoredPolicy[]
}

interface StoredPolicy {
  readonly id: string
  readonly name: string
  readonly source: string
  readonly statements: readonly {
    readonly number: number
    readonly line: number
    readonly effect: 'permit' | 'forbid'
    readonly actions: readonly string[] | null
    readonly isTemplate: boolean
  }[]
  readonly attachments: readonly { readonly type: 'user' | 'role'; readonly id: string }[]
}

/** Undefined where there is no such active tenant. */
export async function findBundleVersion(database: Database, tenantId: TenantId): Promise<number | undefined> {
  const [row] = await runStatement(
    database,
    sql => sql<{ version: string | null }[]>`select find_bundle_version(${tenantId}) as version`,
  )
  return row?.version == null ? undefined : Number(row.version)
}

/** Undefined where there is no such active tenant. */
export async function loadBundle(database: Database, tenantId: TenantId): Promise<StoredBundle | undefined> {
  const [row] = await runStatement(
    database,
    sql => sql<{ bundle: StoredBundle | null }[]>`select load_bundle(${tenantId}) as bundle`,
  )
  return row?.bundle ?? undefined
}
