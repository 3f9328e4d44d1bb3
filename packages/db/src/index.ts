export { type AdminSql, waitForDatabase, withAdminClient } from './admin-client.ts'
export { type Database, openDatabase, type Statements } from './connect.ts'
export { translateConstraint } from './constraints.ts'
export { isDuplicate, isRefusedData } from './database-faults.ts'
export { type EmbeddedServer, startEmbedded } from './embedded/embedded-server.ts'
export { findEmbedded } from './embedded/find-embedded.ts'
export { DataFolderInUseError } from './embedded/orphans.ts'
export { gatherCalls, type GatheredRow } from './gather-calls.ts'
export { assertSafeSchema, UnsafeSchemaError } from './gate.ts'
export { type DatabaseFacts, inspectDatabase } from './inspect-database.ts'
export { grantLogin } from './login-grants.ts'
export { migrate } from './migrate.ts'
export { assertKnownSecret } from './known-secret.ts'
export { createMigrationCheck } from './migration-check.ts'
export { migrationsFolder } from './migrations-folder.ts'
export { checksumOf, readMigrationFiles } from './migration-files.ts'
export { listenForNotices, type NoticeListener } from './notices.ts'
export { findServiceKey } from './service-key-lookup.ts'
export { settleRestore } from './settle-restore.ts'
export {
  inService,
  inTenant,
  runStatement,
  type ServiceTx,
  type TenantTx,
} from './tenant-scope.ts'
export * from './tables/index.ts'
export { tenantExceptions } from './tenant-exceptions.ts'
