export { serveRegistration } from './routes.ts'
export { registerProven, registerUser } from './service.ts'
