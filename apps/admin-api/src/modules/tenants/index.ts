export { serveTenants } from './routes.ts'
export { TenantName, TenantSlug } from './schema.ts'
export { slugOf } from './slug.ts'
