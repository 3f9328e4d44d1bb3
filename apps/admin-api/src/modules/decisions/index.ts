export { serveDecisions } from './routes.ts'
