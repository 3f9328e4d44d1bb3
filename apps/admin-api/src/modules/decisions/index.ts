export { serveImpact } from './impact-routes.ts'
export { serveDecisions } from './routes.ts'
