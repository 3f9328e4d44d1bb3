export { servePolicies } from './routes.ts'
