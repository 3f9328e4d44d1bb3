export { serveOperations } from './routes.ts'
export { checkDatabase, type ShownSettings } from './service.ts'
