import { type Database, runStatement, type TenantProfile, type TenantTx, translateConstraint } from '@signet/db'
import { type OrgUnitId, type PositionId, problem, type TenantId, type UserId } from '@signet/kernel'

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

export interface FirstPlace {
  readonly userId: UserId
  readonly unitId: OrgUnitId
  readonly positionId: PositionId
  readonly unit: { readonly name: string; readonly description: string }
  readonly position: { readonly title: string; readonly description: string; readonly level: number | null }
  readonly profile: TenantProfile
}

/** Of the company that {@link insertFirstRows} has just made. */
export async function insertFirstPlace({ sql, tenantId }: TenantTx, place: FirstPlace): Promise<void> {
  const { unitId, unit, positionId, position, userId, profile } = place
  await sql`
    insert into org_units (tenant_id, id, name, description) values (${tenantId}, ${unitId}, ${unit.name}, ${unit.description})`
  await sql`
    insert into positions (tenant_id, id, title, description, level, org_unit_id)
    values (${tenantId}, ${positionId}, ${position.title}, ${position.description}, ${position.level}, ${unitId})`
  await sql`update memberships set position_id = ${positionId} where tenant_id = ${tenantId} and user_id = ${userId}`
  if (Object.keys(profile).length === 0) return
  await sql`
    update tenants set settings = settings || jsonb_build_object('profile', ${sql.json({ ...profile })}::jsonb)
    where id = ${tenantId}`
}
