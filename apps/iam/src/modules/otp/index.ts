export { serveOtp } from './routes.ts'
export { requestCode, returnCode, verifyCode } from './service.ts'
