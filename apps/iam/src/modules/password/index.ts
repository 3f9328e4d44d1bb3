export { confirmReset, requestReset } from './reset.ts'
export { servePassword } from './routes.ts'
export { changePassword } from './service.ts'
