/**
 * A client manages its own sub-clients and nothing else, a sub-client nobody (packages/accounts). Everybody else needs a
 * permission, and acts on nobody who holds more than they do.
 */
import { type AccountRef, creationPolicy, notYours, onlyPeople, ownsOr } from '@signet/accounts'
import { holds, type Policy, type Rule, type UserId } from '@signet/kernel'
import { type Membership, membershipPolicy } from '../memberships/index.ts'
import { ranksAsHigh, type Standing } from '../users/index.ts'

type Verb = 'read' | 'list' | 'create' | 'modify' | 'delete'
export type AccountAction<V extends Verb = Verb> = `clients:${V}` | `sub-clients:${V}`

/** With its standing where it matters. */
export interface AccountResource extends AccountRef, Partial<Standing> {}

type AccountRule = Rule<AccountResource | null>

const rules: Record<AccountAction, AccountRule> = {
  'clients:read': readsItself('clients:read'),
  'clients:list': onlyPeople(holds('clients:list')),
  'clients:create': creationPolicy.rules['clients:create'],
  'clients:modify': onlyPeople(ranksAsHigh('clients:modify')),
  'clients:delete': onlyPeople(ranksAsHigh('clients:delete')),
  'sub-clients:read': ownsOr(holds('sub-clients:read')),
  'sub-clients:list': ownsOr(holds('sub-clients:list')),
  'sub-clients:create': creationPolicy.rules['sub-clients:create'],
  'sub-clients:modify': ownsOr<AccountResource>(ranksAsHigh('sub-clients:modify')),
  'sub-clients:delete': ownsOr<AccountResource>(ranksAsHigh('sub-clients:delete')),
}

/** One of the two kinds of business accounts. */
export interface AccountKind {
  readonly kind: 'client' | 'sub_client'
  readonly resource: 'clients' | 'sub-clients'
  readonly policy: Policy<AccountAction, AccountResource | null>
}

export const clients: AccountKind = {
  kind: 'client',
  resource: 'clients',
  policy: { see: 'clients:read', hidden: 'client-not-found', rules },
}

export const subClients: AccountKind = {
  kind: 'sub_client',
  resource: 'sub-clients',
  policy: { see: 'sub-clients:read', hidden: 'sub-client-not-found', rules },
}

type AccountMembership = Membership & { readonly parentId: UserId | null }

/** Who changes the roles of an account: a client those of its own sub-clients, and whoever changes everybody's. */
export const accountRolesPolicy: Policy<'memberships:read' | 'memberships:modify', AccountMembership> = {
  see: 'memberships:read',
  hidden: 'membership-not-found',
  rules: {
    'memberships:read': () => true,
    'memberships:modify': (actor, membership) =>
      actor.kind === 'client'
        ? membership.parentId === actor.userId || notYours
        : membershipPolicy.rules['memberships:modify'](actor, membership),
  },
}

/** A client sees itself: there it finds the ids of the roles that it may hand on. */
function readsItself(permission: string): AccountRule {
  return (actor, account) => {
    if (actor.kind === 'client') return account === null || account.id === actor.userId || notYours
    return onlyPeople(holds(permission))(actor, account)
  }
}
