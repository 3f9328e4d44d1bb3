export { serveMe } from './routes.ts'
export { findMe } from './service.ts'
export { selfPolicy } from './policy.ts'
