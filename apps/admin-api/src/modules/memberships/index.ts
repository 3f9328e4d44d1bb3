export { giveRoles } from './assignments.ts'
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
export { EmailAddress, MembershipParams, MembershipView, RoleIds } from './schema.ts'
