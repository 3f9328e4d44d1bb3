export { serveImports } from './routes.ts'
