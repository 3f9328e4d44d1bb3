export { serveSignIn } from './routes.ts'
export { readIdentifier, signInByPassword, signInBySecret } from './service.ts'
