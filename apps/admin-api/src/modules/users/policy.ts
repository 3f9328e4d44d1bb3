import { holds, type Policy, type Rule } from '@signet/kernel'
import { type Holder, holdsAsMuch } from '../memberships/index.ts'

export type UserAction = 'users:read' | 'users:list' | 'users:create' | 'users:modify' | 'users:delete'

/** What a person holds in this tenant, and whether they are of the platform, whatever tenant is their home. */
export interface Standing extends Holder {
  readonly isPlatformStaff: boolean
}

/** A person, with their standing where it matters; or the tenant in which one is created. */
export interface UserResource extends Partial<Standing> {
  readonly id: string
}

/** The home tenant acts on the person; within it nobody acts on one who holds more than they do (THREATS X-02). */
export const userPolicy: Policy<UserAction, UserResource | null> = {
  see: 'users:read',
  hidden: 'user-not-found',
  rules: {
    'users:read': holds('users:read'),
    'users:list': holds('users:list'),
    'users:create': holds('users:create'),
    'users:modify': ranksAsHigh('users:modify'),
    'users:delete': ranksAsHigh('users:delete'),
  },
}

type PasswordAction = 'users:read' | 'users:modify'

/** As for every change of a person; but whoever holds a token of somebody must not get that person's password by it. */
export const passwordPolicy: Policy<PasswordAction, UserResource> = {
  see: 'users:read',
  hidden: 'user-not-found',
  rules: {
    'users:read': userPolicy.rules['users:read'],
    'users:modify': (actor, person) =>
      actor.userId === person.id
        ? 'Your own password is changed with PUT /api/v1/me/password.'
        : userPolicy.rules['users:modify'](actor, person),
  },
}

/** The rule that asks for a permission, for all that the person holds, and for platform staff where they are staff. */
export function ranksAsHigh(permission: string): Rule<Partial<Standing> | null> {
  return (actor, person) => {
    const verdict = holdsAsMuch(permission)(actor, { held: person?.held ?? [] })
    if (verdict !== true) return verdict
    return person?.isPlatformStaff !== true || actor.isPlatformStaff || 'Only platform staff act on platform staff.'
  }
}
