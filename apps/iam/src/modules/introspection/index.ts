export { serveIntrospection } from './routes.ts'
