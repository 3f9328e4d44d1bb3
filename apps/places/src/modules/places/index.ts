export { servePlaces } from './routes.ts'
export { Place } from './schema.ts'
export { assertReadable, listAllPlaces } from './service.ts'
