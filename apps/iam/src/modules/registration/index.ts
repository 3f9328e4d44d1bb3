export { serveRegistration } from './routes.ts'
