/** A program does not start on a database that could mix tenants (HOUSE 4.3, T-06). */

import { StartupError } from '@signet/kernel'
import type { Database } from './connect.ts'
import { schemaRules } from './schema-rules.ts'
import { type TenantExceptions, tenantExceptions } from './tenant-exceptions.ts'

interface GateOptions {
  /** In `production` and `staging` the login may be no superuser and may not have BYPASSRLS. */
  readonly environment?: string
  readonly exceptions?: TenantExceptions
}

/** Everything that is wrong, each with what to do about it. */
export class UnsafeSchemaError extends StartupError {
  override readonly name = 'UnsafeSchemaError'
  readonly faults: readonly string[]
  constructor(faults: readonly string[]) {
    super(`This database does not keep tenants apart:\n${faults.map(fault => `  - ${fault}`).join('\n')}`)
    this.faults = faults
  }
}

/** @throws UnsafeSchemaError with every breach at once; the driver's error when the database cannot be reached */
export async function assertSafeSchema(db: Database, options: GateOptions = {}): Promise<void> {
  const faults = await findLoginFaults(db, options.environment)
  for (const rule of schemaRules) faults.push(...(await rule(db.sql, options.exceptions ?? tenantExceptions)))
  if (faults.length > 0) throw new UnsafeSchemaError(faults)
}

const guardedEnvironments = new Set(['production', 'staging'])

async function findLoginFaults(db: Database, environment: string | undefined): Promise<string[]> {
  const [login] = await db.sql<{ name: string; isUnbound: boolean; mayWork: boolean }[]>`
    select rolname as name, rolsuper or rolbypassrls as "isUnbound",
      exists (select from pg_roles app where app.rolname = 'signet_app' and pg_has_role(r.oid, app.oid, 'USAGE')) as "mayWork"
    from pg_roles r where rolname = session_user`
  if (login === undefined) return []
  const faults: string[] = []
  if (!login.mayWork) {
    faults.push(
      `The login ${login.name} does not have the rights of signet_app: run the migrations with DATABASE_ADMIN_URL, or GRANT signet_app TO ${login.name} (WITH INHERIT TRUE from PostgreSQL 16 on; before, ALTER ROLE ${login.name} INHERIT).`,
    )
  }
  if (login.isUnbound && environment !== undefined && guardedEnvironments.has(environment)) {
    faults.push(
      `The login ${login.name} is a superuser or has BYPASSRLS: give the program a login of its own (DATABASE_URL) and migrate with this one (DATABASE_ADMIN_URL).`,
    )
  }
  return faults
}
