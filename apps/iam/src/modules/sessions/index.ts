export { serveSessions } from './routes.ts'
export { actInPerson, findSelf, findSelfInPerson, type Self } from './service.ts'
