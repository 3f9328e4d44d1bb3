export { assertMayName } from './policy.ts'
export { findPolicy, holdPolicy, type Policy } from './repo.ts'
export { servePolicies } from './routes.ts'
export { assertAttachable } from './service.ts'
