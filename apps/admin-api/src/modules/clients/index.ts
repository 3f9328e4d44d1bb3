export { serveClients } from './client-routes.ts'
export { serveSubClients } from './sub-client-routes.ts'
