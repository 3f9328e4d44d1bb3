export { serveUsers } from './routes.ts'
export { Password, PersonName } from './schema.ts'
