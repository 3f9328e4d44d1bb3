export type { CodeChannel } from './repo.ts'
export { serveOtp } from './routes.ts'
export { requestCode, verifyCode } from './service.ts'
