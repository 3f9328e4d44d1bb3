export { servePlaces } from './routes.ts'
export { assertReadable } from './service.ts'
