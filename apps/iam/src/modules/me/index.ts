export { serveMe } from './routes.ts'
export { selfPolicy } from './policy.ts'
