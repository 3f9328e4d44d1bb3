export { attachToRole } from './service.ts'
export { servePolicyAttachments } from './routes.ts'
