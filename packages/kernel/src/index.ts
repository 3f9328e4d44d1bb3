export { type Clock, systemClock } from './clock.ts'
export {
  type Actor,
  authorize,
  Grant,
  holds,
  isPlatformStaff,
  lackedPermissions,
  type PersonKind,
  type Policy,
  type Rule,
} from './grants.ts'
export {
  type AuditEventId,
  type BrandId,
  type ClientTokenId,
  type CustomerId,
  isId,
  type MembershipId,
  type MessageId,
  newId,
  type OrgUnitId,
  type PolicyId,
  type PositionId,
  type RoleId,
  type ServiceId,
  type ServiceKeyId,
  type SessionId,
  type SubcontractorId,
  type TenantId,
  type UserId,
} from './ids.ts'
export { type CursorPosition, cursorScope, decodeCursor, encodeCursor, type Page } from './pages.ts'
export {
  type InputFault,
  Problem,
  type ProblemCode,
  type ProblemDocument,
  problem,
  problemCatalogue,
} from './problems.ts'
export { type ReplacedSystem, replacedSystems } from './replaced-systems.ts'
export { StartupError } from './startup-error.ts'
export { deriveKey, sealParts } from './secrets.ts'
export {
  accessTokenTtl,
  databaseUrl,
  databaseWait,
  emailTransport,
  environmentName,
  imageStorage,
  refreshTokenTtl,
} from './replaced-settings.ts'
export { describeRetiredSettings, retiredSettingNames } from './retired-settings.ts'
export { readSecretFiles } from './secret-files.ts'
export {
  type Environment,
  readSettings,
  type Setting,
  type SettingFamily,
  SettingsError,
  type SettingsOf,
} from './settings.ts'
export {
  domain,
  flag,
  integer,
  list,
  mailAddress,
  oneOf,
  origin,
  pageOrigins,
  postgresUrl,
  redisUrl,
  serviceUrls,
  someOf,
  text,
} from './setting-kinds.ts'
export { isSettingName, knownSettingNames } from './setting-names.ts'
export { findWeakSecret } from './weak-secrets.ts'
