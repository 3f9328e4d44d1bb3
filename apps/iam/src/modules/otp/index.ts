export { serveOtp } from './routes.ts'
export { requestSignInCode, signInByCode, tryCode } from './sign-in-by-code.ts'
export { requestCode, returnCode, verifyCode } from './service.ts'
