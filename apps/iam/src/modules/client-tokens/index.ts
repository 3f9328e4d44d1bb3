export { inviteClient } from './invitations.ts'
export { serveClientTokens } from './routes.ts'
export { Purpose } from './schema.ts'
