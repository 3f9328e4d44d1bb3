/** One way to make each kind of account, for both apps: who may, within what they can hand on, below which client. */
import type { TenantTx } from '@signet/db'
import { type Actor, authorize, holds, problem, type UserId } from '@signet/kernel'
import { creationPolicy } from './account-rules.ts'
import { createUser, type NewPerson } from './create-user.ts'
import type { User } from './user.ts'
import { findClient } from './users-repo.ts'

/** Whoever creates or invites a person has seen them: lacking the permission is said, not hidden. @throws Problem `forbidden` */
export function assertMayGive(actor: Actor, roleIds: readonly string[] = []): void {
  const verdict = roleIds.length === 0 || holds('memberships:modify')(actor, null)
  if (verdict !== true) throw problem('forbidden', verdict)
}

/**
 * A person at home in this tenant.
 * @throws Problem `forbidden`, and as {@link createUser}
 */
export async function createPerson(tx: TenantTx, actor: Actor, person: NewPerson): Promise<User> {
  const grant = authorize(creationPolicy, 'users:create', actor, { id: tx.tenantId, parentId: null })
  assertMayGive(actor, person.roleIds)
  return createUser(tx, grant, person)
}

/** @throws Problem `forbidden`, and as {@link createUser} */
export async function createClient(tx: TenantTx, actor: Actor, person: NewPerson): Promise<User> {
  const grant = authorize(creationPolicy, 'clients:create', actor, { id: tx.tenantId, parentId: null })
  assertMayGive(actor, person.roleIds)
  return createUser(tx, grant, { ...person, kind: 'client' })
}

/**
 * @param clientId undefined for the client that acts
 * @throws Problem `invalid-input` without a client, `client-not-found`, `client-not-active`, and as {@link createClient}
 */
export async function createSubClient(
  tx: TenantTx,
  actor: Actor,
  clientId: UserId | undefined,
  person: NewPerson,
): Promise<User> {
  const parentId = clientId ?? ownIdOf(actor)
  // A client finds itself and no other: another's id is a random one to it.
  if (actor.kind === 'client' && parentId !== actor.userId) throw problem('client-not-found')
  await findClient(tx, parentId)
  const grant = authorize(creationPolicy, 'sub-clients:create', actor, { id: tx.tenantId, parentId })
  if (actor.kind !== 'client') assertMayGive(actor, person.roleIds)
  return createUser(tx, grant, { ...person, kind: 'sub_client', parentId })
}

function ownIdOf(actor: Actor): UserId {
  if (actor.kind === 'client') return actor.userId
  const message = 'is required: whose sub-client it is'
  throw problem('invalid-input', undefined, { errors: [{ pointer: '/client_id', message }] })
}
