export { serveOtp } from './routes.ts'
export { requestCode, verifyCode } from './service.ts'
