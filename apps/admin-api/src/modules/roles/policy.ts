import type { Role } from '@signet/accounts'
import { holds, lackedPermissions, type Policy, type Rule } from '@signet/kernel'

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
