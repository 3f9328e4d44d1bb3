export { serveClients } from './client-routes.ts'
export { clients, subClients } from './policy.ts'
export { serveSubClients } from './sub-client-routes.ts'
