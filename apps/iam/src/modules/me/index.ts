export { serveMe } from './routes.ts'
