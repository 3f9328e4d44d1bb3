/** A policy speaks of those it is attached to: a person, or a role and with it all who have the role. */
import { recordAudit, type Role } from '@signet/accounts'
import type { TenantTx } from '@signet/db'
import {
  type Actor,
  authorize,
  type Grant,
  type Page,
  type PolicyId,
  problem,
  type RoleId,
  type UserId,
} from '@signet/kernel'
import type { Deps } from '../../deps.ts'
import type { Caller } from '../../wire/caller.ts'
import { assertVersion } from '../../wire/versions.ts'
import { actAs } from '../actors/index.ts'
import { type Answer, makeOnce, type Once } from '../idempotency/index.ts'
import { findRole, lockRole } from '../roles/index.ts'
import { assertAttachable, assertMayName, findPolicy, holdPolicy, type Policy } from '../policies/index.ts'
import { attachmentPolicies, type Holder } from './policy.ts'
import * as repo from './repo.ts'
import type { AttachmentQuery } from './schema.ts'

export type Attachment = repo.Attachment
export type PolicyOfHolder = repo.PolicyOfHolder

/** @throws Problem `policy-not-found` */
export function listAttachments(
  deps: Deps,
  caller: Caller,
  id: PolicyId,
  query: AttachmentQuery,
): Promise<Page<Attachment>> {
  return actAs(deps, caller, 'policies:read', async tx => {
    await findPolicy(tx, id)
    return repo.listAttachments(tx, deps.keys.cursor, id, query)
  })
}

/** The person or the role that a path names. */
export type HolderRef = { readonly userId: UserId } | { readonly roleId: RoleId }

/** @throws Problem `user-not-found`, `role-not-found` */
export function listAttachedPolicies(deps: Deps, caller: Caller, ref: HolderRef): Promise<PolicyOfHolder[]> {
  return actAs(deps, caller, 'policies:read', async (tx, actor) => {
    const holder = 'userId' in ref ? await repo.findPerson(tx, ref.userId) : holderOf(await findRole(tx, ref.roleId))
    authorize(attachmentPolicies[holder.type], 'policies:read', actor, holder)
    return repo.listPoliciesOf(tx, holder)
  })
}

/** @throws Problem `policy-already-attached`, and as `ensureAttached` */
export function attachPolicy<Body>(
  deps: Deps,
  caller: Caller,
  ref: HolderRef,
  policyId: PolicyId,
  once: Once<PolicyOfHolder, Body>,
): Promise<Answer<Body>> {
  return actAs(deps, caller, 'policies:modify', (tx, actor) =>
    makeOnce(tx, actor, once, async () => {
      const holder = await lockHolder(tx, ref)
      if (!(await attach(tx, actor, holder, policyId))) throw problem('policy-already-attached')
      const made = (await repo.listPoliciesOf(tx, holder)).find(({ id }) => id === policyId)
      return made as PolicyOfHolder
    }),
  )
}

/**
 * Attaches it; nothing happens when it is.
 * @throws Problem `user-not-found`, `role-not-found`, `policy-not-found`, `forbidden`, `grant-exceeds-own`, `built-in-role`,
 *   `policy-not-attachable`, `version-mismatch`
 */
export function ensureAttached(
  deps: Deps,
  caller: Caller,
  ref: HolderRef,
  policyId: PolicyId,
  ifMatch: string | undefined,
): Promise<void> {
  return actAs(deps, caller, 'policies:modify', async (tx, actor) => {
    const holder = await lockHolder(tx, ref)
    await attach(tx, actor, holder, policyId, ifMatch)
  })
}

/** Within a transaction of others. False when it was attached before. @throws as `ensureAttached` */
export async function attachToRole(tx: TenantTx, actor: Actor, roleId: RoleId, policyId: PolicyId): Promise<boolean> {
  return attach(tx, actor, await lockHolder(tx, { roleId }), policyId)
}

/** @throws Problem `policy-not-found` when it is not attached, and as `ensureAttached` */
export function detachPolicy(
  deps: Deps,
  caller: Caller,
  ref: HolderRef,
  policyId: PolicyId,
  ifMatch: string | undefined,
): Promise<void> {
  return actAs(deps, caller, 'policies:modify', async (tx, actor) => {
    const holder = await lockHolder(tx, ref)
    const policy = await holdPolicy(tx, policyId)
    const grant = authorizeChange(actor, holder, policy)
    assertVersion(ifMatch, holder)
    if (!(await repo.deleteAttachment(tx, grant, policyId)))
      throw problem('policy-not-found', 'It is not attached there.')
    await audit(tx, grant, 'policy.detached', { before: nameOf(policy) })
  })
}

/** False when it was attached before. */
async function attach(
  tx: TenantTx,
  actor: Actor,
  holder: LockedHolder,
  policyId: PolicyId,
  ifMatch?: string,
): Promise<boolean> {
  const policy = await holdPolicy(tx, policyId)
  const grant = authorizeChange(actor, holder, policy)
  assertVersion(ifMatch, holder)
  assertAttachable(policy, holder.type)
  const isNew = await repo.insertAttachment(tx, grant, policyId)
  if (isNew) await audit(tx, grant, 'policy.attached', { after: nameOf(policy) })
  return isNew
}

/** `isFixed`: a role that holds everything. What is taken from it, nobody could give back. */
type LockedHolder = Holder & { readonly isFixed: boolean }

async function lockHolder(tx: TenantTx, ref: HolderRef): Promise<LockedHolder> {
  if ('userId' in ref) return { ...(await repo.lockPerson(tx, ref.userId)), isFixed: false }
  const role = await lockRole(tx, ref.roleId)
  return { ...holderOf(role), isFixed: role.holds !== 'listed' }
}

function holderOf({ id, reach, withheld, version }: Role): Holder {
  return { type: 'role', id, held: [...reach, ...withheld], version }
}

/** @throws Problem `forbidden`, `grant-exceeds-own`, `built-in-role` */
function authorizeChange(actor: Actor, holder: LockedHolder, policy: Policy): Grant<'policies:modify', Holder> {
  const grant = authorize<'policies:read' | 'policies:modify', 'policies:modify', Holder>(
    attachmentPolicies[holder.type],
    'policies:modify',
    actor,
    holder,
  )
  if (holder.isFixed) throw problem('built-in-role', 'No policy is attached to a role that holds everything.')
  assertMayName(actor, policy)
  return grant
}

function nameOf({ id, name }: Policy): Record<string, unknown> {
  return { policy_id: id, policy: name }
}

function audit(
  tx: TenantTx,
  { actor, resource }: Grant<'policies:modify', Holder>,
  action: string,
  change: { before?: Record<string, unknown>; after?: Record<string, unknown> },
): Promise<void> {
  const target = { targetType: resource.type, targetId: resource.id }
  return recordAudit(tx, { action, actor, ...target, ...change, request: actor.request })
}
