export { actAs } from './service.ts'
