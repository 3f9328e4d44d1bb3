export { serveSignIn } from './routes.ts'
export { readIdentifier, signInBySecret } from './service.ts'
export { verifyPassword } from './verify-password.ts'
