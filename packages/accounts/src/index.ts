export { recordAudit } from './audit-repo.ts'
export { type AccountRef, creationPolicy, notYours, onlyPeople, ownsOr } from './account-rules.ts'
export { changeContact } from './change-contact.ts'
export { changeUser } from './change-user.ts'
export { assertMayGive, createClient, createPerson, createSubClient } from './create-account.ts'
export { createUser, type NewPerson, type Registrant } from './create-user.ts'
export { type ImportedUser, importUsers } from './import-users.ts'
export { findHashFault } from './password-formats/index.ts'
export { assertGrantable, giveRoles, withdrawRole } from './give-roles.ts'
export { hashNewPassword } from './new-password.ts'
export { createHasher, type PasswordHasher } from './password-hasher.ts'
export { findPasswordHash, renewHash, setPassword } from './password-repo.ts'
export { checkPassword, passwordProblems, wordsAbout } from './password-rules.ts'
export { normalizePhone } from './phone-number.ts'
export { findPeopleFacts, findUsers } from './people-facts-repo.ts'
export { type CodeHolder, resetPassword } from './reset-password.ts'
export {
  findPermissionsOf,
  findReach,
  lockRoles,
  type Role,
  type RoleRow,
  withEffects,
} from './roles-repo.ts'
export { endUserSessions } from './sessions-repo.ts'
export { createTemporaryPassword } from './temporary-password.ts'
export type { NewUser, TenantRef, User } from './user.ts'
export { activateUser, deleteUser, suspendUser } from './user-status.ts'
export { findUser } from './users-repo.ts'
