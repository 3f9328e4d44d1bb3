import { type Actor, holds, lackedPermissions, type Policy, problem, type Rule } from '@signet/kernel'
import type { Role } from './repo.ts'

export type RoleAction = 'roles:read' | 'roles:list' | 'roles:create' | 'roles:modify' | 'roles:delete'

/** Whoever changes a role changes what its holders may do: so they must hold all of it themselves. */
export const rolePolicy: Policy<RoleAction, Role | null> = {
  see: 'roles:read',
  hidden: 'role-not-found',
  rules: {
    'roles:read': holds('roles:read'),
    'roles:list': holds('roles:list'),
    'roles:create': holds('roles:create'),
    'roles:modify': holdsAllOfIt('roles:modify'),
    'roles:delete': holdsAllOfIt('roles:delete'),
  },
}

function holdsAllOfIt(permission: string): Rule<Role | null> {
  return (actor, role) => {
    const verdict = holds(permission)(actor, role)
    if (verdict !== true) return verdict
    const lacked = lackedPermissions(actor, [...(role?.reach ?? []), ...(role?.withheld ?? [])])
    return lacked.length === 0 || `This role gives or withholds permissions that you lack: ${lacked.join(', ')}.`
  }
}

/** @throws Problem `grant-exceeds-own` naming those of `codes` that the actor lacks (THREATS X-02) */
export function assertGrantable(actor: Actor, codes: Iterable<string>): void {
  const lacked = lackedPermissions(actor, codes)
  if (lacked.length > 0) throw problem('grant-exceeds-own', `You do not hold ${lacked.join(', ')}.`)
}
