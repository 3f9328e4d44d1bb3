export { serveSystemEmails } from './routes.ts'
export { SystemEmailRequest } from './schema.ts'
export { queueSystemEmail } from './service.ts'
