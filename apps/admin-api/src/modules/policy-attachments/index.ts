export { servePolicyAttachments } from './routes.ts'
