export { preparePerson, namesOf } from './new-person.ts'
export {
  Language,
  newPersonMembers,
  Password,
  personChangeMembers,
  PersonKind,
  FirstName,
  LastName,
  PersonName,
  PersonStatus,
  Phone,
  Username,
} from './person-fields.ts'
export { personMembers, presentPerson } from './person-view.ts'
export { ranksAsHigh, type Standing, userPolicy, type UserResource } from './policy.ts'
export { findStanding, findUserByEmail, listUsers, lockUser } from './repo.ts'
export { serveUsers } from './routes.ts'
export { UserFilters } from './schema.ts'
export {
  activateUser,
  changeUser,
  createUser,
  listEffectivePermissions,
  listPeople,
  lockPerson,
  readUser,
  removeUser,
  resetPassword,
  suspendUser,
} from './service.ts'
