export { serveSessions } from './routes.ts'
export { findSelf, type Self } from './service.ts'
