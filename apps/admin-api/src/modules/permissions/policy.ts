import { holds, type Policy, type Rule } from '@signet/kernel'
import type { Permission } from './repo.ts'

export type PermissionAction =
  | 'permissions:read'
  | 'permissions:list'
  | 'permissions:create'
  | 'permissions:modify'
  | 'permissions:delete'

/** The catalogue is the installation's: every tenant reads it, the platform keeps it. */
export const permissionPolicy: Policy<PermissionAction, Permission | null> = {
  see: 'permissions:read',
  hidden: 'permission-not-found',
  rules: {
    'permissions:read': holds('permissions:read'),
    'permissions:list': holds('permissions:list'),
    'permissions:create': holds('permissions:create'),
    'permissions:modify': ofAnotherService('permissions:modify'),
    'permissions:delete': ofAnotherService('permissions:delete'),
  },
}

/** Signet's own permissions are what its code asks for: they change with it and not by hand. */
function ofAnotherService(permission: string): Rule<Permission | null> {
  return (actor, resource) => {
    if (resource?.service === 'signet') return 'The permissions of Signet itself cannot be changed.'
    return holds(permission)(actor, resource)
  }
}
