/**
 * Who would gain and lose what by a change of a role, before anybody makes it. The change is made as its own routes make it, with
 * all that they demand, looked at, and undone with its transaction: so what is told is what would happen.
 */
import type { TenantTx } from '@signet/db'
import { type Actor, holds, type PolicyId, type RoleId, type UserId } from '@signet/kernel'
import type { Deps } from '../../deps.ts'
import type { Caller } from '../../wire/caller.ts'
import { actAs } from '../actors/index.ts'
import { attachToRole } from '../policy-attachments/index.ts'
import { applyRoleChange, lockRole } from '../roles/index.ts'
import { type Access, findAccess, findNames, listConcerned } from './repo.ts'
import type { ImpactQuery, ProposedChange } from './schema.ts'

export interface Impact {
  readonly items: readonly PersonImpact[]
  readonly nextCursor: string | null
  /** How many people the change can concern. */
  readonly total: number
}

export interface PersonImpact {
  readonly userId: UserId
  /** Null for whoever may not list people. */
  readonly name: string | null
  readonly gains: readonly string[]
  readonly loses: readonly string[]
  readonly mayGain: readonly string[]
  readonly mayLose: readonly string[]
}

const defaultLimit = 50

/** Undoes the transaction that it leaves. */
class Undo extends Error {
  readonly impact: Impact

  constructor(impact: Impact) {
    super('undone')
    this.impact = impact
  }
}

/** @throws Problem as the change itself, but for its version: `role-not-found`, `forbidden`, `grant-exceeds-own`, … */
export async function previewRoleChange(
  deps: Deps,
  caller: Caller,
  id: RoleId,
  change: ProposedChange,
  query: ImpactQuery,
): Promise<Impact> {
  try {
    return await actAs<Impact>(deps, caller, 'roles:modify', async (tx, actor) => {
      throw new Undo(await tryChange(tx, actor, id, change, query))
    })
  } catch (error) {
    if (error instanceof Undo) return error.impact
    throw error
  }
}

async function tryChange(
  tx: TenantTx,
  actor: Actor,
  id: RoleId,
  { permissions, policies = [] }: ProposedChange,
  { limit = defaultLimit, cursor }: ImpactQuery,
): Promise<Impact> {
  const role = await lockRole(tx, id)
  const { ids, total } = await listConcerned(tx, id, { after: cursor, limit })
  const page = ids.slice(0, limit)
  const before = await findAccess(tx, page)
  if (permissions !== undefined) await applyRoleChange(tx, actor, role, { permissions })
  for (const policyId of policies) await attachToRole(tx, actor, id, policyId as PolicyId)
  const after = await findAccess(tx, page)
  const names = holds('users:list')(actor, null) === true ? await findNames(tx, page) : new Map<UserId, string | null>()
  return {
    items: page.map(userId => ({
      userId,
      name: names.get(userId) ?? null,
      ...compare(before.get(userId) ?? nothing, after.get(userId) ?? nothing),
    })),
    nextCursor: ids.length > limit ? (page.at(-1) ?? null) : null,
    total,
  }
}

const nothing: Access = { permissions: [], reach: [], grantable: [] }

/** What is certain, and what a condition will decide: it comes into reach, or is held less firmly, and the other way round. */
function compare(before: Access, after: Access): Omit<PersonImpact, 'userId' | 'name'> {
  const gains = beyond(after.permissions, before.permissions)
  const loses = beyond(before.permissions, after.permissions)
  const firmer = [...beyond(after.reach, before.reach), ...beyond(after.grantable, before.grantable)]
  const looser = [...beyond(before.reach, after.reach), ...beyond(before.grantable, after.grantable)]
  return { gains, loses, mayGain: beyond(firmer, gains), mayLose: beyond(looser, loses) }
}

function beyond(codes: readonly string[], others: readonly string[]): string[] {
  const known = new Set(others)
  return [...new Set(codes)].filter(code => !known.has(code)).toSorted()
}
