export { serveSessions } from './routes.ts'
export { findSelf, findSelfInPerson, type Self } from './service.ts'
