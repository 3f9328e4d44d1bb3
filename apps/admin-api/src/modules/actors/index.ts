export { actAs, actAsEither } from './service.ts'
