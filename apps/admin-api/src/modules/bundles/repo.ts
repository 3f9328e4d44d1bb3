import type { TenantTx } from '@signet/db'
import type { TenantId } from '@signet/kernel'
import type { Bundle, BundlePolicy, BundleStatement, Subject } from '@signet/verifier/policies'

/** The tenant's bundle, and of each statement whether it depends on more than who and which action. */
export interface LoadedBundle extends Omit<Bundle, 'policies'> {
  readonly policies: readonly LoadedPolicy[]
}

interface LoadedPolicy extends Omit<BundlePolicy, 'statements'> {
  readonly statements: readonly LoadedStatement[]
}

export interface LoadedStatement extends BundleStatement {
  readonly isConditional: boolean
}

interface SubjectRow {
  readonly id: string
  readonly kind: string
  readonly roles: string[]
  readonly is_exempt: boolean
  readonly client_id: string | null
  readonly client_kind: string | null
  readonly client_roles: string[]
}

/** Those of `ids` who may do anything in the tenant now. */
export async function findSubjects(
  { sql }: TenantTx,
  tenantId: TenantId,
  ids: readonly string[],
): Promise<ReadonlyMap<string, Subject>> {
  const rows = await sql<SubjectRow[]>`
    select id, kind, roles, is_exempt, client_id, client_kind, client_roles
    from find_subjects(${tenantId}, ${[...ids]}::uuid[])`
  return new Map(rows.map(row => [row.id, toSubject(row)]))
}

/** Names what the bundle of the tenant says now, and only rises. Undefined where there is no such active tenant. */
export async function findVersion({ sql }: TenantTx, tenantId: TenantId): Promise<string | undefined> {
  const [row] = await sql<{ version: string | null }[]>`select find_bundle_version(${tenantId})::text as version`
  return row?.version ?? undefined
}

/** Undefined where there is no such active tenant. */
export async function selectBundle({ sql }: TenantTx, tenantId: TenantId): Promise<LoadedBundle | undefined> {
  const [row] = await sql<{ bundle: LoadedBundle | null }[]>`select load_bundle(${tenantId}) as bundle`
  return row?.bundle ?? undefined
}

function toSubject(row: SubjectRow): Subject {
  const { id, kind, roles, is_exempt: isExempt, client_id: clientId, client_kind: clientKind } = row
  const ceiling =
    clientId === null ? {} : { ceiling: { id: clientId, kind: clientKind ?? 'client', roles: row.client_roles } }
  return { id, kind, roles, isExempt, ...ceiling }
}
