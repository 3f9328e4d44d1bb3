import { recordAudit } from '@signet/accounts'
import type { TenantTx } from '@signet/db'
import { type Actor, authorize, type Page, type PolicyId, problem } from '@signet/kernel'
import type { Deps } from '../../deps.ts'
import type { Caller } from '../../wire/caller.ts'
import { requireVersion } from '../../wire/versions.ts'
import { actAs } from '../actors/index.ts'
import { type Answer, makeOnce, type Once } from '../idempotency/index.ts'
import { type Compilation, type Compiled, compilePolicy, type Draft } from './compile.ts'
import { assertMayName, policyPolicy } from './policy.ts'
import * as repo from './repo.ts'
import type { PolicyQuery } from './schema.ts'

export type Policy = repo.Policy
export type ListedPolicy = repo.ListedPolicy

export function listPolicies(deps: Deps, caller: Caller, query: PolicyQuery): Promise<Page<ListedPolicy>> {
  return actAs(deps, caller, 'policies:list', async (tx, actor) => {
    authorize(policyPolicy, 'policies:list', actor, null)
    return repo.listPolicies(tx, deps.keys.cursor, query)
  })
}

/** @throws Problem `policy-not-found` */
export function readPolicy(deps: Deps, caller: Caller, id: PolicyId): Promise<Policy> {
  return actAs(deps, caller, 'policies:read', async (tx, actor) => {
    const policy = await repo.findPolicy(tx, id)
    authorize(policyPolicy, 'policies:read', actor, policy)
    return policy
  })
}

/** What would become of it, without writing anything. */
export function validatePolicy(deps: Deps, caller: Caller, draft: Draft): Promise<Compilation> {
  return actAs(deps, caller, 'policies:read', async tx => compilePolicy(draft, await repo.findCatalogue(tx)))
}

/** @throws Problem `invalid-policy`, `policy-name-taken`, `grant-exceeds-own` */
export function createPolicy<Body>(
  deps: Deps,
  caller: Caller,
  { name, description = '' }: { readonly name: string; readonly description?: string },
  draft: Draft,
  once: Once<Policy, Body>,
): Promise<Answer<Body>> {
  return actAs(deps, caller, 'policies:create', (tx, actor) =>
    makeOnce(tx, actor, once, async () => {
      const grant = authorize(policyPolicy, 'policies:create', actor, null)
      const compiled = await compile(tx, draft)
      const policy = await repo.insertPolicy(tx, grant, { name, description }, compiled)
      // After the insertion, which reads what the policy names; the transaction takes it back with everything else.
      assertMayName(actor, policy)
      await audit(tx, actor, 'policy.created', policy, { after: describe(policy) })
      return policy
    }),
  )
}

/**
 * Whoever changes a policy holds what it named and what it will name.
 * @throws Problem `policy-not-found`, `policy-not-attachable` when what it is attached to could not hold it any more,
 *   `version-required`, `version-mismatch`, and as `createPolicy`
 */
export function changePolicy(
  deps: Deps,
  caller: Caller,
  id: PolicyId,
  change: { readonly name?: string; readonly description?: string },
  draft: Draft | undefined,
  ifMatch: string | undefined,
): Promise<Policy> {
  return actAs(deps, caller, 'policies:modify', async (tx, actor) => {
    const before = await repo.lockPolicy(tx, id)
    const grant = authorize(policyPolicy, 'policies:modify', actor, before)
    requireVersion(ifMatch, before)
    const compiled = draft === undefined ? undefined : await compile(tx, draft)
    const after = await repo.updatePolicy(tx, grant, change, compiled)
    if (compiled !== undefined) {
      assertMayName(actor, after)
      const { users, roles } = await repo.findHolders(tx, id)
      if (users > 0) assertAttachable(after, 'user')
      if (roles > 0) assertAttachable(after, 'role')
    }
    await audit(tx, actor, 'policy.modified', after, { before: describe(before), after: describe(after) })
    return after
  })
}

/** @throws Problem `policy-not-found`, `policy-in-use`, `version-required`, `version-mismatch` */
export function removePolicy(deps: Deps, caller: Caller, id: PolicyId, ifMatch: string | undefined): Promise<void> {
  return actAs(deps, caller, 'policies:delete', async (tx, actor) => {
    const before = await repo.lockPolicy(tx, id)
    const grant = authorize(policyPolicy, 'policies:delete', actor, before)
    requireVersion(ifMatch, before)
    const holders = await repo.findHolders(tx, id)
    if (holders.users + holders.roles > 0) throw problem('policy-in-use', nameHolders(holders))
    await repo.deletePolicy(tx, grant)
    await audit(tx, actor, 'policy.deleted', before, { before: describe(before) })
  })
}

/** @throws Problem `policy-not-attachable`, saying what to write instead */
export function assertAttachable({ statements }: Policy, type: 'user' | 'role'): void {
  if (!statements.some(({ isTemplate }) => isTemplate)) throw problem('policy-not-attachable')
  const lines = statements.flatMap(({ isForOne, line }) => (isForOne ? [line] : []))
  if (type === 'role' && lines.length > 0) {
    const where = `${lines.length === 1 ? 'line' : 'lines'} ${lines.join(', ')}`
    throw problem(
      'policy-not-attachable',
      `A role is no person: write \`principal in ?principal\` in the place of \`principal == ?principal\` in ${where}.`,
    )
  }
}

/** @throws Problem `invalid-policy` with every fault */
async function compile(tx: TenantTx, draft: Draft): Promise<Compiled> {
  const compiled = await compilePolicy(draft, await repo.findCatalogue(tx))
  if ('faults' in compiled) throw problem('invalid-policy', undefined, { errors: compiled.faults })
  return compiled
}

function nameHolders({ users, roles, first }: repo.Holders): string {
  const named = first.map(({ type, name }) => `${type} ${name}`).join(', ')
  const more = users + roles - first.length
  return `It is attached to ${named}${more > 0 ? ` and ${more} more` : ''}: take it away there first.`
}

function describe({ name, description, source }: Policy): Record<string, unknown> {
  return { name, description, source }
}

function audit(
  tx: TenantTx,
  actor: Actor,
  action: string,
  { id }: Policy,
  change: { before?: Record<string, unknown>; after?: Record<string, unknown> },
): Promise<void> {
  return recordAudit(tx, { action, actor, targetType: 'policy', targetId: id, ...change, request: actor.request })
}
