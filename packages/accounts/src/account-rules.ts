/**
 * A client manages its own sub-clients and nothing else (THREATS X-08), whatever permissions it was given; a sub-client
 * manages nobody. Everybody else needs what the rule between says.
 */
import { holds, type Policy, type Rule, type UserId } from '@signet/kernel'

/** A business account; or the tenant and the client of one that is created. */
export interface AccountRef {
  readonly id: string
  /** The client of a sub-client. */
  readonly parentId: UserId | null
}

export const notYours = 'A client manages its own sub-clients and nothing else.'

export function onlyPeople<R>(rule: Rule<R>): Rule<R> {
  return (actor, account) => (actor.kind === 'user' ? rule(actor, account) : notYours)
}

/** No rank is asked of a client: whatever its sub-client does, the client may as well. */
export function ownsOr<R extends AccountRef>(rule: Rule<R | null>): Rule<R | null> {
  return (actor, account) => {
    if (actor.kind === 'sub_client') return 'A sub-client manages nobody.'
    if (actor.kind === 'client') return account === null || account.parentId === actor.userId || notYours
    return rule(actor, account)
  }
}

export type CreationAction = 'users:create' | 'clients:create' | 'sub-clients:create'

/** Who makes whom. What they may hand on is another question: `createUser` asks it. */
export const creationPolicy: Policy<CreationAction, AccountRef | null> = {
  see: 'users:create',
  hidden: 'forbidden',
  rules: {
    'users:create': holds('users:create'),
    'clients:create': onlyPeople(holds('clients:create')),
    'sub-clients:create': ownsOr(holds('sub-clients:create')),
  },
}
