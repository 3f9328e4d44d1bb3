import * as accounts from '@signet/accounts'
import type { TenantTx } from '@signet/db'
import { announceUser } from '@signet/delivery'
import { type Actor, authorize, type Grant, type Page, problem, type RoleId, type UserId } from '@signet/kernel'
import type { Deps } from '../../deps.ts'
import type { Caller } from '../../wire/caller.ts'
import { assertVersion } from '../../wire/versions.ts'
import { actAs } from '../actors/index.ts'
import { type Answer, makeOnce, type Once } from '../idempotency/index.ts'
import { lockMembership } from '../memberships/index.ts'
import { namesOf, preparePerson } from '../users/index.ts'
import { type AccountAction, type AccountKind, accountRolesPolicy, clients, subClients } from './policy.ts'
import * as repo from './repo.ts'
import type { AccountChange, AccountQuery, NewAccount } from './schema.ts'

export type Account = repo.Account

/** Clients, or the sub-clients that the caller manages. */
export function listAccounts(deps: Deps, caller: Caller, of: AccountKind, query: AccountQuery): Promise<Page<Account>> {
  const action = `${of.resource}:list` as const
  return actAs(deps, caller, of.policy.rules[action], async (tx, actor) => {
    authorize(of.policy, action, actor, null)
    const own = actor.kind === 'client' ? actor.userId : undefined
    return repo.listAccounts(tx, deps.keys.cursor, of, own, query)
  })
}

/** @throws Problem `client-not-found` */
export function listSubClientsOf(
  deps: Deps,
  caller: Caller,
  clientId: UserId,
  query: AccountQuery,
): Promise<Page<Account>> {
  return actAs(deps, caller, subClients.policy.rules['sub-clients:list'], async (tx, actor) => {
    authorize(subClients.policy, 'sub-clients:list', actor, null)
    await findClient(tx, actor, clientId)
    return repo.listAccounts(tx, deps.keys.cursor, subClients, clientId, query)
  })
}

/** @throws Problem `client-not-found`, `sub-client-not-found` */
export function readAccount(deps: Deps, caller: Caller, of: AccountKind, id: UserId): Promise<Account> {
  const action = `${of.resource}:read` as const
  return actAs(deps, caller, of.policy.rules[action], async (tx, actor) => {
    const account = await repo.findAccount(tx, of, id)
    authorize(of.policy, action, actor, account)
    return account
  })
}

/** @throws Problem as `createSubClient`, but for what is said of the client */
export async function createClient<Body>(
  deps: Deps,
  caller: Caller,
  body: NewAccount,
  once: Once<Account, Body>,
): Promise<Answer<Body>> {
  const needed = clients.policy.rules['clients:create']
  const person = await preparePerson(deps, caller, needed, body)
  return actAs(deps, caller, needed, (tx, actor) =>
    makeOnce(tx, actor, once, async () => finish(deps, tx, await accounts.createClient(tx, actor, person))),
  )
}

/**
 * @param clientId undefined for the client that calls
 * @throws Problem `client-not-found`, `client-not-active`, `email-taken`, `phone-taken`, `username-taken`, `role-not-found`,
 *   `grant-exceeds-own`, `password-…`
 */
export async function createSubClient<Body>(
  deps: Deps,
  caller: Caller,
  clientId: UserId | undefined,
  body: NewAccount,
  once: Once<Account, Body>,
): Promise<Answer<Body>> {
  const needed = subClients.policy.rules['sub-clients:create']
  const person = await preparePerson(deps, caller, needed, body)
  return actAs(deps, caller, needed, (tx, actor) =>
    makeOnce(tx, actor, once, async () =>
      finish(deps, tx, await accounts.createSubClient(tx, actor, clientId, person)),
    ),
  )
}

/** @throws Problem `client-not-found`, `sub-client-not-found`, `forbidden`, `version-mismatch`, and as `createSubClient` */
export function changeAccount(
  deps: Deps,
  caller: Caller,
  of: AccountKind,
  id: UserId,
  { role_ids, ...names }: AccountChange,
  ifMatch: string | undefined,
): Promise<Account> {
  return actOn(deps, caller, of, 'modify', id, async (tx, grant) => {
    assertVersion(ifMatch, { version: versionOf(grant.resource) })
    if (role_ids !== undefined) await replaceRoles(tx, grant.actor, grant.resource, role_ids as RoleId[])
    await accounts.changeUser(tx, grant, namesOf(names))
    return repo.findAccount(tx, of, id)
  })
}

/** Ends all sessions; those of a client's sub-clients as well. @throws Problem `user-state-conflict` */
export function suspendAccount(deps: Deps, caller: Caller, of: AccountKind, id: UserId): Promise<Account> {
  return actOn(deps, caller, of, 'modify', id, async (tx, grant) => {
    await accounts.suspendUser(tx, grant)
    return repo.findAccount(tx, of, id)
  })
}

/** @throws Problem `client-not-active` for a sub-client of a suspended client */
export function activateAccount(deps: Deps, caller: Caller, of: AccountKind, id: UserId): Promise<Account> {
  return actOn(deps, caller, of, 'modify', id, async (tx, grant) => {
    await accounts.activateUser(tx, grant)
    return repo.findAccount(tx, of, id)
  })
}

/** @throws Problem `client-in-use` while a client has sub-clients, `version-mismatch` */
export function removeAccount(
  deps: Deps,
  caller: Caller,
  of: AccountKind,
  id: UserId,
  ifMatch: string | undefined,
): Promise<void> {
  return actOn(deps, caller, of, 'delete', id, async (tx, grant) => {
    assertVersion(ifMatch, { version: versionOf(grant.resource) })
    await accounts.deleteUser(tx, grant)
  })
}

/** What is shown of an account changes with the person and with the roles: both versions only rise, and so does their sum. */
export function versionOf({ version, membershipVersion }: Account): number {
  return version + membershipVersion
}

/** Runs `work` with the account locked, for whoever may do this to it. */
function actOn<V extends 'modify' | 'delete', T>(
  deps: Deps,
  caller: Caller,
  of: AccountKind,
  verb: V,
  id: UserId,
  work: (tx: TenantTx, grant: Grant<AccountAction<V>, Account>) => Promise<T>,
): Promise<T> {
  const action: AccountAction<V> = `${of.resource}:${verb}`
  return actAs(deps, caller, of.policy.rules[action], async (tx, actor) =>
    work(tx, authorize(of.policy, action, actor, await repo.lockAccount(tx, of, id))),
  )
}

/** A client finds itself and no other: another's id is a random one to it. @throws Problem `client-not-found` */
async function findClient(tx: TenantTx, actor: Actor, id: UserId): Promise<void> {
  if (actor.kind === 'client' && id !== actor.userId) throw problem('client-not-found')
  await repo.findAccount(tx, clients, id)
}

async function finish(deps: Deps, tx: TenantTx, user: accounts.User): Promise<Account> {
  await announceUser(deps, tx, user)
  const [account] = await repo.withRoles(tx, [user])
  return account as Account
}

/** @throws Problem `forbidden`, `role-not-found`, `grant-exceeds-own` */
async function replaceRoles(tx: TenantTx, actor: Actor, account: Account, wanted: readonly RoleId[]): Promise<void> {
  const membership = await lockMembership(tx, { userId: account.id })
  const holder = { ...membership, parentId: account.parentId }
  const grant = authorize(accountRolesPolicy, 'memberships:modify', actor, holder)
  const surplus = account.roles.filter(({ id, name }) => name !== 'member' && !wanted.includes(id))
  for (const role of surplus) await accounts.withdrawRole(tx, grant, role.id)
  await accounts.giveRoles(tx, grant, membership, wanted)
}
