export { serveTokens } from './routes.ts'
export { TokenAnswer } from './schema.ts'
export { signIn } from './service.ts'
