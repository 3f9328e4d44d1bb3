export { serveRefreshKeys } from './routes.ts'
export { renewByKey, setSessionKey } from './session-key.ts'
