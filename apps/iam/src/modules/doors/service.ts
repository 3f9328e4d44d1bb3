/**
 * Callers of older systems sign in at a door of their own kind of account. Whoever comes to another one is answered as whoever
 * showed the wrong secret.
 */
import type { TenantId, UserId } from '@signet/kernel'
import type { Deps } from '../../deps.ts'
import { findVisitor, type Visitor } from './repo.ts'

/** Asked of somebody who has shown who they are, before a session is opened. */
export type Door = (person: { readonly userId: UserId; readonly tenantId: TenantId }) => Promise<boolean>

/** Whom each of them lets in. */
const doors = {
  admin: ({ kind, roles, isPlatformStaff }) => kind === 'user' && (isPlatformStaff || roles.includes('admin')),
  client: ({ kind }) => kind === 'client',
  subclient: ({ kind }) => kind === 'sub_client',
} satisfies Record<string, (visitor: Visitor) => boolean>

export function openDoor(deps: Pick<Deps, 'database'>, name: keyof typeof doors): Door {
  return async ({ tenantId, userId }) => doors[name](await findVisitor(deps.database, tenantId, userId))
}
