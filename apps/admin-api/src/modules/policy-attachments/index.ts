export { attachToRole } from './service.ts'
export { servePolicyAttachments } from './routes.ts'
export { type HolderRef, listAttachedPolicies } from './service.ts'
