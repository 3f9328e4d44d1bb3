export { serveServiceKeys } from './routes.ts'
