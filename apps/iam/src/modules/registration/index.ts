export { serveRegistration } from './routes.ts'
export { registerProven } from './service.ts'
