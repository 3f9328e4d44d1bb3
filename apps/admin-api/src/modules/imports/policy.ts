import { type Actor, holds, type Policy } from '@signet/kernel'
import { clients, subClients } from '../clients/index.ts'
import type { LineFault, PersonLine } from './schema.ts'

/** The tenant into which people are brought, or out of which they are read. */
interface TenantRef {
  readonly id: string
}

export const importPolicy: Policy<'users:list' | 'users:create', TenantRef> = {
  see: 'users:list',
  hidden: 'tenant-not-found',
  rules: { 'users:list': holds('users:list'), 'users:create': holds('users:create') },
}

/**
 * What the actor may not say of anybody; what roles hold is looked at where they are known.
 *
 * An address that counts as verified takes up invitations of other tenants and comes first where codes are asked for, so that an
 * administrator of one tenant could make themself anybody (THREATS X-07): whose word holds for the installation is the platform's.
 */
export function findForbidden(actor: Actor, person: PersonLine): LineFault[] {
  const faults: LineFault[] = []
  for (const member of ['email_verified', 'phone_verified'] as const) {
    if (person[member] !== true || actor.isPlatformStaff) continue
    const message = 'is for platform staff to say: leave it out, and the person verifies the address'
    faults.push({ pointer: `/${member}`, message, code: 'forbidden' })
  }
  const refuse = (pointer: string, verdict: true | string) => {
    if (verdict !== true) faults.push({ pointer, message: verdict, code: 'forbidden' })
  }
  const kind = person.kind ?? 'user'
  if (kind === 'client') refuse('/kind', clients.policy.rules['clients:create'](actor, null))
  else if (kind === 'sub_client') refuse('/kind', subClients.policy.rules['sub-clients:create'](actor, null))
  else refuse('/kind', actor.kind === 'user' || 'A business account brings its own sub-clients and nobody else.')
  // What a client may give to its sub-clients is bounded by what it can hand on, and by nothing else.
  const isNamingRoles = actor.kind !== 'client' && rolesBesideMember(person).length > 0
  if (isNamingRoles) refuse('/roles', holds('memberships:modify')(actor, null))
  return faults
}

/** Everybody gets `member`, and gives it by creating: naming it asks for nothing. */
export function rolesBesideMember({ roles = [] }: PersonLine): string[] {
  return [...new Set(roles)].filter(name => name !== 'member')
}
