/** The first unit and position of a company that was just made, and its administrator in them. */
import { recordAudit } from '@signet/accounts'
import { inTenant, type TenantProfile } from '@signet/db'
import { newId, type OrgUnitId, type PositionId, type TenantId, type UserId } from '@signet/kernel'
import type { Deps } from '../../deps.ts'
import { insertFirstPlace } from './repo.ts'

export interface Furniture {
  readonly companyId: TenantId
  readonly userId: UserId
  readonly unit: { readonly name: string; readonly description: string }
  readonly position: { readonly title: string; readonly description: string; readonly level: number | null }
  readonly profile: TenantProfile
}

/** Only right after the bootstrap, on behalf of whoever was allowed to do that: there is nobody yet who could be asked. */
export function furnishCompany(
  { db }: Pick<Deps, 'db'>,
  { companyId, ...furniture }: Furniture,
  request: { readonly id: string; readonly ip: string },
): Promise<{ readonly unitId: OrgUnitId; readonly positionId: PositionId }> {
  const ids = { unitId: newId<OrgUnitId>(), positionId: newId<PositionId>() }
  return inTenant(db, companyId, async tx => {
    await insertFirstPlace(tx, { ...furniture, ...ids })
    const event = { actor: null, request }
    const { unit, position, userId } = furniture
    await recordAudit(tx, {
      ...event,
      action: 'org-unit.created',
      targetType: 'org-unit',
      targetId: ids.unitId,
      after: unit,
    })
    await recordAudit(tx, {
      ...event,
      action: 'position.created',
      targetType: 'position',
      targetId: ids.positionId,
      after: { ...position, org_unit_id: ids.unitId },
    })
    await recordAudit(tx, {
      ...event,
      action: 'position.assigned',
      targetType: 'user',
      targetId: userId,
      after: { position_id: ids.positionId, position: position.title },
    })
    return ids
  })
}
