import { recordAudit } from '@signet/accounts'
import type { TenantTx } from '@signet/db'
import { type Actor, authorize, type OrgUnitId, type Page, type PositionId, problem } from '@signet/kernel'
import type { Deps } from '../../deps.ts'
import type { Caller } from '../../wire/caller.ts'
import { nameUses } from '../../wire/uses.ts'
import { assertVersion } from '../../wire/versions.ts'
import { actAs } from '../actors/index.ts'
import { type Answer, makeOnce, type Once } from '../idempotency/index.ts'
import { findOrgUnit } from '../org-units/index.ts'
import { positionPolicy } from './policy.ts'
import * as repo from './repo.ts'
import type { NewPosition, PositionChange, PositionOfUnitQuery, PositionQuery } from './schema.ts'

export type Position = repo.Position

export function listPositions(deps: Deps, caller: Caller, query: PositionQuery): Promise<Page<Position>> {
  return actAs(deps, caller, 'positions:list', async (tx, actor) => {
    authorize(positionPolicy, 'positions:list', actor, null)
    return repo.listPositions(tx, deps.keys.cursor, query)
  })
}

/** The positions of one unit, without those of the units below it. @throws Problem `org-unit-not-found` */
export function listPositionsOf(
  deps: Deps,
  caller: Caller,
  unitId: OrgUnitId,
  query: PositionOfUnitQuery,
): Promise<Page<Position>> {
  return actAs(deps, caller, 'positions:list', async (tx, actor) => {
    authorize(positionPolicy, 'positions:list', actor, null)
    await findOrgUnit(tx, unitId)
    return repo.listPositions(tx, deps.keys.cursor, query, unitId)
  })
}

/** @throws Problem `position-not-found` */
export function readPosition(deps: Deps, caller: Caller, id: PositionId): Promise<Position> {
  return actAs(deps, caller, 'positions:read', async (tx, actor) => {
    const position = await repo.findPosition(tx, id)
    authorize(positionPolicy, 'positions:read', actor, position)
    return position
  })
}

/** @throws Problem `org-unit-not-found` */
export function createPosition<Body>(
  deps: Deps,
  caller: Caller,
  { title, description = '', level = null, org_unit_id = null }: NewPosition,
  once: Once<Position, Body>,
): Promise<Answer<Body>> {
  return actAs(deps, caller, 'positions:create', (tx, actor) =>
    makeOnce(tx, actor, once, async () => {
      const grant = authorize(positionPolicy, 'positions:create', actor, null)
      const members = { title, description, level, orgUnitId: org_unit_id as OrgUnitId | null }
      const position = await repo.insertPosition(tx, grant, members)
      await audit(tx, actor, 'position.created', position, { after: describe(position) })
      return position
    }),
  )
}

/** @throws Problem `position-not-found`, `org-unit-not-found`, `version-mismatch` */
export function changePosition(
  deps: Deps,
  caller: Caller,
  id: PositionId,
  { title, description, level, org_unit_id }: PositionChange,
  ifMatch: string | undefined,
): Promise<Position> {
  return actAs(deps, caller, 'positions:modify', async (tx, actor) => {
    const before = await repo.lockPosition(tx, id, 'to change')
    const grant = authorize(positionPolicy, 'positions:modify', actor, before)
    assertVersion(ifMatch, before)
    const after = await repo.updatePosition(tx, grant, {
      ...(title === undefined ? {} : { title }),
      ...(description === undefined ? {} : { description: description ?? '' }),
      ...(level === undefined ? {} : { level }),
      ...(org_unit_id === undefined ? {} : { orgUnitId: org_unit_id as OrgUnitId | null }),
    })
    await audit(tx, actor, 'position.modified', after, { before: describe(before), after: describe(after) })
    return after
  })
}

/** @throws Problem `position-not-found`, `position-in-use` naming who holds it, `version-mismatch` */
export function removePosition(deps: Deps, caller: Caller, id: PositionId, ifMatch: string | undefined): Promise<void> {
  return actAs(deps, caller, 'positions:delete', async (tx, actor) => {
    const before = await repo.lockPosition(tx, id, 'to delete')
    const grant = authorize(positionPolicy, 'positions:delete', actor, before)
    assertVersion(ifMatch, before)
    const { count, names } = await repo.findHolders(tx, id)
    const shown = actor.permissions.has('positions:read') ? names : []
    const holders = nameUses([{ count, noun: ['person', 'people'], names: shown }])
    if (holders !== undefined)
      throw problem('position-in-use', `It is held by ${holders}. Take it away from them first.`)
    await repo.deletePosition(tx, grant)
    await audit(tx, actor, 'position.deleted', before, { before: describe(before) })
  })
}

function describe({ title, description, level, orgUnitId }: Position): Record<string, unknown> {
  return { title, description, level, org_unit_id: orgUnitId }
}

function audit(
  tx: TenantTx,
  actor: Actor,
  action: string,
  { id }: Position,
  change: { before?: Record<string, unknown>; after?: Record<string, unknown> },
): Promise<void> {
  return recordAudit(tx, { action, actor, targetType: 'position', targetId: id, ...change, request: actor.request })
}
