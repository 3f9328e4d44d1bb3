import { changeUser, findUser, type User } from '@signet/accounts'
import { inTenant } from '@signet/db'
import { authorize, type MembershipId, problem } from '@signet/kernel'
import type { Deps, RequestFacts } from '../../deps.ts'
import { describePerson } from '../../person-answer.ts'
import type { Self } from '../sessions/index.ts'
import { selfPolicy } from './policy.ts'
import { acceptInvitation, findBrandFor, findPlaces } from './repo.ts'
import type { AcceptedMembership, Me, MeChange } from './schema.ts'

export async function findMe(deps: Deps, self: Self): Promise<Me> {
  const user = await inTenant(deps.database, self.homeTenantId, tx => findUser(tx, self.userId))
  return describeMe(deps, self, user)
}

/** @throws Problem `concurrent-change` */
export async function changeMe(deps: Deps, self: Self, body: MeChange): Promise<Me> {
  const { first_name: firstName, last_name: lastName, ...members } = body
  const change = {
    ...members,
    ...(firstName === undefined ? {} : { firstName }),
    ...(lastName === undefined ? {} : { lastName }),
  }
  const user = await inTenant(deps.database, self.homeTenantId, async tx => {
    const grant = authorize(selfPolicy, 'users:modify', self, await findUser(tx, self.userId))
    return changeUser(tx, grant, change)
  })
  return describeMe(deps, self, user)
}

/** @throws Problem `email-not-verified`, `membership-not-found`, `membership-exists` */
export async function acceptMembership(
  deps: Deps,
  self: Self,
  id: MembershipId,
  request: RequestFacts,
): Promise<AcceptedMembership> {
  const user = await inTenant(deps.database, self.homeTenantId, tx => findUser(tx, self.userId))
  if (user.emailVerifiedAt === null) throw problem('email-not-verified')
  const tenantId = await acceptInvitation(deps.database, self.userId, id, request)
  if (tenantId === undefined) throw problem('membership-not-found')
  return { id, tenant_id: tenantId }
}

async function describeMe(deps: Deps, self: Self, user: User): Promise<Me> {
  const { tenant, memberships } = await findPlaces(deps.database, self.userId, self.tenantId)
  const brand = await inTenant(deps.database, self.tenantId, tx => findBrandFor(tx, self.userId))
  return {
    ...describePerson(user),
    password_change_required: self.mustChangePassword,
    tenant,
    roles: [...self.roles],
    permissions: [...self.permissions],
    brand,
    memberships,
  }
}
