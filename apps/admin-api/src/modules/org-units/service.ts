import { recordAudit } from '@signet/accounts'
import type { TenantTx } from '@signet/db'
import { type Actor, authorize, type OrgUnitId, type Page, problem } from '@signet/kernel'
import type { Deps } from '../../deps.ts'
import type { Caller } from '../../wire/caller.ts'
import { nameUses } from '../../wire/uses.ts'
import { assertVersion } from '../../wire/versions.ts'
import { actAs } from '../actors/index.ts'
import { type Answer, makeOnce, type Once } from '../idempotency/index.ts'
import { orgUnitPolicy } from './policy.ts'
import * as repo from './repo.ts'
import {
  type ChildQuery,
  mostUnitsOfTree,
  type NewOrgUnit,
  type OrgUnitChange,
  type OrgUnitQuery,
  type OrgUnitTree,
} from './schema.ts'

export type OrgUnit = repo.OrgUnit

export function listOrgUnits(deps: Deps, caller: Caller, query: OrgUnitQuery): Promise<Page<OrgUnit>> {
  return actAs(deps, caller, 'org-units:list', async (tx, actor) => {
    authorize(orgUnitPolicy, 'org-units:list', actor, null)
    return repo.listOrgUnits(tx, deps.keys.cursor, query)
  })
}

/** @throws Problem `org-unit-not-found` */
export function readOrgUnit(deps: Deps, caller: Caller, id: OrgUnitId): Promise<OrgUnit> {
  return actAs(deps, caller, 'org-units:read', (tx, actor) => findVisible(tx, actor, id))
}

/** The units right below one. @throws Problem `org-unit-not-found` */
export function listChildren(deps: Deps, caller: Caller, id: OrgUnitId, query: ChildQuery): Promise<Page<OrgUnit>> {
  return actAs(deps, caller, 'org-units:read', async (tx, actor) => {
    await findVisible(tx, actor, id)
    return repo.listOrgUnits(tx, deps.keys.cursor, { ...query, parent_id: id })
  })
}

/** All units of the tenant, as far as they are not more than a tree shows. */
export function readTree(deps: Deps, caller: Caller): Promise<OrgUnitTree> {
  return actAs(deps, caller, 'org-units:list', async (tx, actor) => {
    authorize(orgUnitPolicy, 'org-units:list', actor, null)
    return growTree(tx, undefined)
  })
}

/** A unit and all below it. @throws Problem `org-unit-not-found` */
export function readSubtree(deps: Deps, caller: Caller, id: OrgUnitId): Promise<OrgUnitTree> {
  return actAs(deps, caller, 'org-units:read', async (tx, actor) => growTree(tx, await findVisible(tx, actor, id)))
}

/** @throws Problem `org-unit-name-taken`, `org-unit-not-found` for the parent, `org-unit-too-deep` */
export function createOrgUnit<Body>(
  deps: Deps,
  caller: Caller,
  { name, description = '', parent_id = null }: NewOrgUnit,
  once: Once<OrgUnit, Body>,
): Promise<Answer<Body>> {
  return actAs(deps, caller, 'org-units:create', (tx, actor) =>
    makeOnce(tx, actor, once, async () => {
      const grant = authorize(orgUnitPolicy, 'org-units:create', actor, null)
      const unit = await repo.insertOrgUnit(tx, grant, { name, description, parentId: parent_id as OrgUnitId | null })
      await audit(tx, actor, 'org-unit.created', unit, { after: describe(unit) })
      return unit
    }),
  )
}

/**
 * Changes a unit, and moves it with all that is below it.
 * @throws Problem `org-unit-not-found`, `org-unit-name-taken`, `org-unit-cycle`, `org-unit-too-deep`, `version-mismatch`
 */
export function changeOrgUnit(
  deps: Deps,
  caller: Caller,
  id: OrgUnitId,
  { name, description, parent_id }: OrgUnitChange,
  ifMatch: string | undefined,
): Promise<OrgUnit> {
  return actAs(deps, caller, 'org-units:modify', async (tx, actor) => {
    const before = await repo.lockOrgUnit(tx, id, 'to change')
    const grant = authorize(orgUnitPolicy, 'org-units:modify', actor, before)
    assertVersion(ifMatch, before)
    const after = await repo.updateOrgUnit(tx, grant, {
      ...(name === undefined ? {} : { name }),
      ...(description === undefined ? {} : { description: description ?? '' }),
      ...(parent_id === undefined ? {} : { parentId: parent_id as OrgUnitId | null }),
    })
    await audit(tx, actor, 'org-unit.modified', after, { before: describe(before), after: describe(after) })
    return after
  })
}

/** @throws Problem `org-unit-not-found`, `org-unit-in-use` naming what hangs on it, `version-mismatch` */
export function removeOrgUnit(deps: Deps, caller: Caller, id: OrgUnitId, ifMatch: string | undefined): Promise<void> {
  return actAs(deps, caller, 'org-units:delete', async (tx, actor) => {
    const before = await repo.lockOrgUnit(tx, id, 'to delete')
    const grant = authorize(orgUnitPolicy, 'org-units:delete', actor, before)
    assertVersion(ifMatch, before)
    await assertUnused(tx, actor, id)
    await repo.deleteOrgUnit(tx, grant)
    await audit(tx, actor, 'org-unit.deleted', before, { before: describe(before) })
  })
}

/** The unit, for whoever may see units. @throws Problem `org-unit-not-found` */
async function findVisible(tx: TenantTx, actor: Actor, id: OrgUnitId): Promise<OrgUnit> {
  const unit = await repo.findOrgUnit(tx, id)
  authorize(orgUnitPolicy, 'org-units:read', actor, unit)
  return unit
}

/** Names what is in the way, but only to those who may read it. @throws Problem `org-unit-in-use` */
async function assertUnused(tx: TenantTx, actor: Actor, id: OrgUnitId): Promise<void> {
  const { units, positions } = await repo.findUses(tx, id)
  const uses = nameUses([
    {
      count: units.count,
      noun: ['unit below it', 'units below it'],
      names: actor.permissions.has('org-units:read') ? units.names : [],
    },
    {
      count: positions.count,
      noun: ['position', 'positions'],
      names: actor.permissions.has('positions:read') ? positions.names : [],
    },
  ])
  if (uses !== undefined) throw problem('org-unit-in-use', `It has ${uses}. Move or remove them first.`)
}

async function growTree(tx: TenantTx, top: OrgUnit | undefined): Promise<OrgUnitTree> {
  const found = await repo.listTree(tx, top, mostUnitsOfTree + 1)
  const shown = found.slice(0, mostUnitsOfTree)
  return { items: arrangeTree(shown, top?.parentId ?? null), is_complete: found.length === shown.length }
}

/** Each unit right before what is below it; those of one parent stay in their order. */
function arrangeTree(nodes: readonly repo.TreeNode[], above: OrgUnitId | null): OrgUnitTree['items'] {
  const childrenOf = Map.groupBy(nodes, node => node.parentId)
  const items: OrgUnitTree['items'] = []
  const waiting = (childrenOf.get(above) ?? []).toReversed()
  for (let node = waiting.pop(); node !== undefined; node = waiting.pop()) {
    items.push({ id: node.id, name: node.name, parent_id: node.parentId, level: node.level })
    waiting.push(...(childrenOf.get(node.id) ?? []).toReversed())
  }
  return items
}

function describe({ name, description, parentId }: OrgUnit): Record<string, unknown> {
  return { name, description, parent_id: parentId }
}

function audit(
  tx: TenantTx,
  actor: Actor,
  action: string,
  { id }: OrgUnit,
  change: { before?: Record<string, unknown>; after?: Record<string, unknown> },
): Promise<void> {
  return recordAudit(tx, { action, actor, targetType: 'org-unit', targetId: id, ...change, request: actor.request })
}
