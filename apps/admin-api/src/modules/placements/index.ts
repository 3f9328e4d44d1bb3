export { servePlacements } from './routes.ts'
export { assignPosition, listHolders, withdrawPosition } from './service.ts'
