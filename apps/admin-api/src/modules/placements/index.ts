export { servePlacements } from './routes.ts'
