export { serveBootstrap } from './routes.ts'
export type { BootstrapInput, Bootstrapped } from './schema.ts'
export { bootstrapInstallation } from './service.ts'
