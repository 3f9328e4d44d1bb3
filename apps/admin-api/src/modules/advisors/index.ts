export { serveAdvisors } from './routes.ts'
