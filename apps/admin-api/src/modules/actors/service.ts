/**
 * Every piece of work begins here: the actor is read from the database in the transaction of the work itself, so that
 * a role taken away, a suspension or an ended session counts at once, whatever the token still says.
 */
import { inTenant, type Database, type TenantTx } from '@signet/db'
import { type Actor, holds, Problem, problem, type Rule, type TenantId } from '@signet/kernel'
import type { Caller, PersonOrService, ServiceCaller } from '../../wire/caller.ts'
import { findSubjects, holdBundle, type LoadedBundle } from '../bundles/index.ts'
import { type ActorRow, findPlatformTenant, selectActor } from './repo.ts'

export interface Databases {
  readonly db: Database
  /** A copy that may lag. Lists are read from it. */
  readonly replica?: Database | undefined
}

/**
 * Runs `work` in one transaction as the caller. Whoever lacks what is `needed` (a permission) hears so before anything is
 * looked up, so that the answer depends on nothing that exists; what they may do to one thing, the module's policy decides.
 * @param scope the tenant whose rows exist in the transaction: the token's own but where the platform acts on tenants
 * @throws Problem `session-ended`, `password-change-required`, `forbidden`
 */
export async function actAs<T>(
  { db, replica }: Databases,
  caller: Caller,
  needed: string | Rule<null>,
  work: (tx: TenantTx, actor: Actor) => Promise<T>,
  scope: TenantId = caller.tenantId,
): Promise<T> {
  const admit = async (tx: TenantTx): Promise<Actor> => {
    const actor = await loadActor(tx, caller)
    const verdict = (typeof needed === 'string' ? holds(needed) : needed)(actor, null)
    if (verdict !== true) throw problem('forbidden', verdict)
    return actor
  }
  if (replica === undefined || typeof needed !== 'string' || !needed.endsWith(':list'))
    return inTenant(db, scope, async tx => work(tx, await admit(tx)))
  // Who acts, and whether they may, is asked of no copy that lags.
  const actor = await inTenant(db, scope, admit)
  try {
    return await inTenant(replica, scope, tx => work(tx, actor))
  } catch (error) {
    if (!(error instanceof Problem) || error.code !== 'database-unavailable') throw error
    return inTenant(db, scope, tx => work(tx, actor))
  }
}

/**
 * As `actAs` for a person; for a service that shows its key in the platform, to which the services belong. What a key opens, the
 * module's policy decides.
 * @throws Problem `not-ready` before the installation has its first administrator, and as `actAs`
 */
export async function actAsEither<T>(
  deps: Databases,
  caller: Caller | ServiceCaller,
  needed: string,
  work: (tx: TenantTx, who: PersonOrService) => Promise<T>,
): Promise<T> {
  if ('userId' in caller) return actAs(deps, caller, needed, work)
  const platform = await findPlatformTenant(deps.db)
  if (platform === undefined) throw problem('not-ready', 'The installation has no first administrator yet.')
  return inTenant(deps.db, platform, tx => work(tx, caller))
}

async function loadActor(tx: TenantTx, caller: Caller): Promise<Actor> {
  const row = await selectActor(tx, caller)
  if (row === undefined) throw problem('session-ended')
  if (row.must_change) throw problem('password-change-required')
  const { userId, tenantId, sessionId, request } = caller
  return {
    userId,
    tenantId,
    sessionId,
    request,
    roles: new Set(row.roles),
    kind: row.kind,
    permissions: row.is_conditional ? await decidePermissions(tx, caller, row) : new Set(row.permissions),
    grantable: new Set(row.grantable),
    isPlatformStaff: row.is_platform_staff,
    actorId: row.act_sub,
  }
}

/**
 * SQL has left open what a condition decides. Here it is asked about the tenant as a whole, with the time and the address of
 * the request: a condition on anything else cannot be met, and a forbid that depends on it holds. Each permission is decided
 * when somebody asks for it, once: where a statement names every action, the catalogue is long and a request asks for few.
 */
async function decidePermissions(
  tx: TenantTx,
  { userId, tenantId, request }: Caller,
  row: ActorRow,
): Promise<Actor['permissions']> {
  const subject = (await findSubjects(tx, tenantId, [userId])).get(userId)
  if (subject === undefined) throw problem('session-ended')
  const resource = { type: 'Tenant', id: tenantId }
  const context = { time: new Date().toISOString(), ip: request.ip }
  const held = await holdBundle(tx, tenantId)
  const isConditional = conditionalActions(held.bundle)
  const firm = new Set(row.permissions)
  const decided = new Map<string, boolean>()
  return {
    has(action) {
      if (!isConditional(action)) return firm.has(action)
      const known = decided.get(action)
      if (known !== undefined) return known
      const { decision } = held.decide({ subject, action, resource, context })
      decided.set(action, decision)
      return decision
    },
  }
}

/** Whether some condition speaks of an action. */
function conditionalActions({ permissions, policies }: LoadedBundle): (action: string) => boolean {
  const statements = policies.flatMap(policy => policy.statements.filter(({ isConditional }) => isConditional))
  const named = new Set(statements.flatMap(({ actions }) => actions ?? permissions))
  return action => named.has(action)
}
