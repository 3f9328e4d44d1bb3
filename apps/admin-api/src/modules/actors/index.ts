export { findPlatformTenant } from './repo.ts'
export { actAs, actAsEither } from './service.ts'
