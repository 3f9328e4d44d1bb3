export { serveDashboard } from './routes.ts'
export { readDashboard } from './service.ts'
