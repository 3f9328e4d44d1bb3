import { type Database, runStatement, translateConstraint } from '@signet/db'
import { problem, type TenantId, type UserId } from '@signet/kernel'

export interface FirstRows {
  readonly platformId: TenantId
  readonly companyId: TenantId
  readonly slug: string
  readonly name: string
  readonly userId: UserId
  readonly email: string
  readonly firstName: string | null
  readonly lastName: string | null
  readonly passwordHash: string
  readonly request: { readonly id: string; readonly ip: string }
}

const again = () => problem('already-bootstrapped')
// Of two who try at once the second meets a name of the first, whichever index is looked at first.
const meanings = { tenants__is_platform: again, tenants__slug: again }

/** Platform, company and first administrator, all or none. @throws Problem `already-bootstrapped` */
export async function insertFirstRows(db: Database, rows: FirstRows): Promise<void> {
  const { platformId, companyId, slug, name, userId, email, firstName, lastName, passwordHash, request } = rows
  try {
    await runStatement(
      db,
      sql => sql`select bootstrap_installation(${platformId}, ${companyId}, ${slug}, ${name}, ${userId}, ${email},
        ${firstName}, ${lastName}, ${passwordHash}, ${request.ip}, ${request.id})`,
    )
  } catch (error) {
    throw translateConstraint(error, meanings)
  }
}

export async function hasPlatform(db: Database): Promise<boolean> {
  const [row] = await runStatement(
    db,
    sql => sql<{ found: boolean }[]>`select exists (select from all_tenants where is_platform) as found`,
  )
  return row?.found ?? false
}
