export { serveSignIn } from './routes.ts'
export { readIdentifier, signInByPassword, signInBySecret } from './service.ts'
export { verifyPassword } from './verify-password.ts'
