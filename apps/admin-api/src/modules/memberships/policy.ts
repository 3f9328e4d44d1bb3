import { holds, lackedPermissions, type Policy, type Rule } from '@signet/kernel'

export type MembershipAction =
  | 'memberships:read'
  | 'memberships:list'
  | 'memberships:create'
  | 'memberships:modify'
  | 'memberships:delete'

/** The codes that a person holds in this tenant, or will when the invitation is accepted. */
export interface Holder {
  readonly held: readonly string[]
}

/** Nobody acts on a person who holds more than they do (THREATS X-02). */
export const membershipPolicy: Policy<MembershipAction, Holder | null> = {
  see: 'memberships:read',
  hidden: 'membership-not-found',
  rules: {
    'memberships:read': holds('memberships:read'),
    'memberships:list': holds('memberships:list'),
    'memberships:create': holds('memberships:create'),
    'memberships:modify': holdsAsMuch('memberships:modify'),
    'memberships:delete': holdsAsMuch('memberships:delete'),
  },
}

/** The rule that asks for a permission and for all that the person holds. */
export function holdsAsMuch(permission: string): Rule<Holder | null> {
  return (actor, holder) => {
    const verdict = holds(permission)(actor, holder)
    if (verdict !== true) return verdict
    const lacked = lackedPermissions(actor, holder?.held ?? [])
    return lacked.length === 0 || `This person holds permissions that you lack: ${lacked.join(', ')}.`
  }
}
