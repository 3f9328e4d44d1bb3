export { type AppDeps, buildApp } from './app.ts'
export { type BootstrapInput, bootstrapInstallation, type Bootstrapped } from './modules/bootstrap/index.ts'
export { type AdminApiOptions, startAdminApi } from './start-admin-api.ts'
