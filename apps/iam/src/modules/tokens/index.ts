export { createRefreshTokens, type RefreshToken, type RefreshTokens } from './refresh-token.ts'
export { serveTokens } from './routes.ts'
export { TokenAnswer } from './schema.ts'
export { signIn } from './service.ts'
