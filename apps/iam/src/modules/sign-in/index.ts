export { serveSignIn } from './routes.ts'
