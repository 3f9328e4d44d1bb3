export {
  assignRole,
  giveRoles,
  listAssignedRoles,
  type Member,
  type RoleOfMember,
  withdrawRole,
} from './assignments.ts'
export { holdsAsMuch, type Holder, membershipPolicy } from './policy.ts'
export {
  findMembership,
  listMemberships as listMembers,
  listRolesOf,
  lockMembership,
  type Membership,
  type MembershipRow,
} from './repo.ts'
export { presentMembership, serveMemberships } from './routes.ts'
export { listMemberships } from './service.ts'
export { EmailAddress, MembershipParams, MembershipView, RoleIds } from './schema.ts'
