export { type AdminSql, waitForDatabase, withAdminClient } from './admin-client.ts'
export { type Database, type DatabaseOptions, openDatabase, type Statements } from './connect.ts'
export { type ConstraintMeanings, translateConstraint } from './constraints.ts'
export { type EmbeddedOptions, type EmbeddedServer, startEmbedded } from './embedded/embedded-server.ts'
export { DataFolderInUseError } from './embedded/orphans.ts'
export { assertSafeSchema, type GateOptions, UnsafeSchemaError } from './gate.ts'
export { grantLogin, type WorkingRole } from './login-grants.ts'
export { type MigrateOptions, type MigrationStep, MigrationMismatchError, migrate } from './migrate.ts'
export { checksumOf, type MigrationFile, readMigrationFiles } from './migration-files.ts'
export {
  inService,
  inSystem,
  inTenant,
  runStatement,
  type ServiceTx,
  type SystemTx,
  type TenantTx,
} from './tenant-scope.ts'
export * from './tables/index.ts'
export { type TenantExceptions, tenantExceptions } from './tenant-exceptions.ts'
