import { assertGrantable } from '@signet/accounts'
import { type Actor, holds, lackedPermissions, type Policy, problem, type Rule } from '@signet/kernel'

export type PolicyAction = 'policies:read' | 'policies:list' | 'policies:create' | 'policies:modify' | 'policies:delete'

/** The permissions that a policy speaks of: whoever writes, changes, attaches or removes it changes who may do these. */
export interface Names {
  /** Those of the catalogue that it names. */
  readonly names: readonly string[]
  /** One of its statements names every action, those to come included. */
  readonly namesEverything: boolean
}

/** Forbids like permits: taking one away gives (THREATS X-02). */
export const policyPolicy: Policy<PolicyAction, Names | null> = {
  see: 'policies:read',
  hidden: 'policy-not-found',
  rules: {
    'policies:read': holds('policies:read'),
    'policies:list': holds('policies:list'),
    'policies:create': holds('policies:create'),
    'policies:modify': holdsWhatItNames('policies:modify'),
    'policies:delete': holdsWhatItNames('policies:delete'),
  },
}

function holdsWhatItNames(permission: string): Rule<Names | null> {
  return (actor, policy) => {
    const verdict = holds(permission)(actor, policy)
    return verdict !== true || policy === null ? verdict : mayName(actor, policy)
  }
}

/** @throws Problem `grant-exceeds-own` naming what the actor lacks */
export function assertMayName(actor: Actor, policy: Names): void {
  assertGrantable(actor, policy.names)
  const verdict = mayName(actor, policy)
  if (verdict !== true) throw problem('grant-exceeds-own', verdict)
}

function mayName(actor: Actor, { names, namesEverything }: Names): true | string {
  const lacked = lackedPermissions(actor, names)
  if (lacked.length > 0) return `This policy names permissions that you lack: ${lacked.join(', ')}.`
  return (
    !namesEverything ||
    actor.isPlatformStaff ||
    actor.roles.has('admin') ||
    'This policy names every action, those to come included: it needs the role admin.'
  )
}
