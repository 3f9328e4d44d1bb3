export { serveDirectory } from './routes.ts'
